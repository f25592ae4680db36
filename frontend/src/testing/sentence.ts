/** Matches the paragraph that contains `text`, in which names are elements of their own. */
export function sentence(text: string) {
  return (_: string, element: Element | null) =>
    element?.tagName === 'P' && element.textContent.includes(text)
}
