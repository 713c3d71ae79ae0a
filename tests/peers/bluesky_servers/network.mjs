// The real servers of Bluesky on loopback: directory, PDS and AppView, for one test run.
// Prints where they are as one line of JSON, answers each line that it is told with "done", and
// ends with its standard input:
//   settle        let the AppView take in all that was written
//   later 7200    all servers' clocks go on by so many seconds
//   chat http://… the chat service, of which there is none here, is found at this address
import { createInterface } from 'node:readline'

// Before anything else is loaded, so that there is no other clock to be had.
const Clock = globalThis.Date
let ahead_ms = 0
globalThis.Date = class Date extends Clock {
  constructor(...given) {
    super(...(given.length ? given : [Clock.now() + ahead_ms]))
  }
  static now() {
    return Clock.now() + ahead_ms
  }
}

const { TestNetwork } = await import('@atproto/dev-env')
const network = await TestNetwork.create({ dbPostgresSchema: 'payontap' })

// On a busy machine what usually takes milliseconds may take long.
const PATIENCE_MS = 100_000
const CHAT = 'did:web:api.bsky.chat'
let chat
const dids = network.pds.ctx.idResolver.did
const resolve = dids.resolve.bind(dids)
dids.resolve = async (did, ...more) => {
  if (did !== CHAT || !chat) return resolve(did, ...more)
  return { id: CHAT, service: [{ id: '#bsky_chat', type: 'BskyChatService', serviceEndpoint: chat }] }
}

const tasks = {
  settle: () => network.processAll(PATIENCE_MS),
  later: (seconds) => { ahead_ms += Number(seconds) * 1000 },
  chat: (url) => { chat = url },
}
console.log(JSON.stringify({ pds: network.pds.url }))
for await (const line of createInterface({ input: process.stdin })) {
  const [task, given] = line.split(' ')
  await tasks[task](given)
  console.log('done')
}
await network.close()
process.exit(0)
