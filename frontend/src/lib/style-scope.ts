/**
 * The attribute of each outermost element: inside a host application the style sheet applies only
 * below it (scripts/host-styles.mjs). What a portal moves to `<body>` carries it too.
 */
export const styleScope = { 'data-xero-service': '' }
