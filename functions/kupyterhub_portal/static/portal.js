// What the pages do by themselves; without it they still work, by loading anew.
'use strict'

const EVERY = 2000
const FRESH = 5 * 60 * 1000

// Has the sign-in host say once more who this is, by redirects alone, so that the page keeps what it holds. Where nobody
// is signed in there, or where it counts as another site (on one machine), nothing comes of it.
const renew = () => fetch('/', { mode: 'no-cors', credentials: 'include' }).catch(() => {})

// A part of the page that is looked at again while it says that it changes, and when its tab is shown again.
function follow(part) {
  const said = document.getElementById('said')
  let timer
  const look = async () => {
    clearTimeout(timer)
    if (document.hidden) return
    try {
      let answer = await ask()
      if (answer.status === 401) {
        await renew()
        answer = await ask()
      }
      // Nobody is signed in any more: the page itself leads to where one signs in.
      if (answer.status === 401 || answer.type === 'opaqueredirect') return location.reload()
      if (answer.ok) show(await answer.text())
    } catch { /* a network that is away for a moment */ }
    if (part.querySelector('[data-changes]')) timer = setTimeout(look, EVERY)
  }
  const ask = () => {
    const headers = { Accept: 'text/html', 'X-Requested-With': 'XMLHttpRequest' }
    return fetch(part.dataset.follow, { headers, redirect: 'manual' })
  }
  const show = text => {
    const fresh = document.createElement('template')
    fresh.innerHTML = text
    // Every answer has another token in its forms; that is no news.
    if (plain(fresh.content) === plain(part)) return
    const focused = part.contains(document.activeElement) && document.activeElement.id
    const chosen = part.querySelector('select')?.value
    part.replaceChildren(fresh.content)
    const choice = part.querySelector('select')
    if (choice && [...choice.options].some(option => option.value === chosen)) choice.value = chosen
    const again = focused && document.getElementById(focused)
    if (again) again.focus()
    else if (focused) part.focus()
    const heading = part.querySelector('h1')
    if (said && heading) said.textContent = heading.textContent
  }
  document.addEventListener('visibilitychange', look)
  if (part.querySelector('[data-changes]')) timer = setTimeout(look, EVERY)
  if (!part.firstElementChild) look()
}

function plain(part) {
  const copy = document.createElement('div')
  copy.append(...[...part.childNodes].map(node => node.cloneNode(true)))
  for (const token of copy.querySelectorAll('[name=token]')) token.remove()
  for (const choice of copy.querySelectorAll('select')) choice.replaceChildren()
  return copy.innerHTML.replace(/\s+/g, ' ').trim()
}

// One tick for everybody on the page, and how many that is.
function pick(all) {
  const form = all.form
  const each = [...form.querySelectorAll('[name=user]')]
  const count = document.getElementById('picked')
  const tell = () => {
    const picked = each.filter(box => box.checked).length
    all.checked = picked > 0 && picked === each.length
    all.indeterminate = picked > 0 && picked < each.length
    count.textContent = picked ? `${picked} chosen` : 'Nobody is chosen'
  }
  all.addEventListener('change', () => { for (const box of each) box.checked = all.checked; tell() })
  form.addEventListener('change', tell)
  tell()
}

// A form that is sent from a page that was open for long.
let known = Date.now()
document.addEventListener('submit', async event => {
  if (Date.now() - known < FRESH) return
  event.preventDefault()
  await renew()
  known = Date.now()
  event.target.requestSubmit(event.submitter)
})

for (const part of document.querySelectorAll('[data-follow]')) follow(part)
for (const all of document.querySelectorAll('[data-pick-all]')) pick(all)
