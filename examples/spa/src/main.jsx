import { useSignIn } from 'express-ppoppo/react'
import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

// Renders again when the sign-in ends: here, in another tab, or by expiry.
function App() {
  const { status, user, signIn } = useSignIn()
  // By its key, another person gets another page, with nothing left of the first one's.
  if (status === 'signed-in') return <Account key={user.sub} />
  return status === 'signed-out' ? <Button onClick={() => signIn()}>Sign in</Button> : null
}

function Account() {
  const { user, signOut, refresh } = useSignIn()
  const [account, setAccount] = useState()
  const [trouble, setTrouble] = useState()

  useEffect(() => {
    const load = async () => {
      const response = await fetch('/api/account', { headers: { accept: 'application/json' } })
      if (response.ok) setAccount(await response.json())
      // The server knows better than the page: ask again who is signed in.
      else if (response.status === 401) await refresh()
      else throw new Error(`The account cannot be loaded now (${response.status}).`)
    }
    load().catch(setTrouble)
  }, [refresh])

  return (
    <>
      <p>Signed in as {user.ppnum}</p>
      {account && <p>since {new Date(account.signedInAt).toLocaleString()}</p>}
      {trouble && <p role="alert">{trouble.message}</p>}
      <Button onClick={() => signOut().catch(setTrouble)}>Sign out</Button>
    </>
  )
}

function Button(props) {
  return <button type="button" {...props} />
}

createRoot(document.getElementById('app')).render(<App />)
