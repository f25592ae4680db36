export const SETTINGS = '/settings/integrations'
