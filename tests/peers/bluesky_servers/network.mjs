// The real servers of Bluesky on loopback: directory, PDS and AppView, for one test run.
// Prints where they are as one line of JSON, processes what it is told to, and ends with its
// standard input.
import { createInterface } from 'node:readline'
import { TestNetwork } from '@atproto/dev-env'

const network = await TestNetwork.create({ dbPostgresSchema: 'payontap' })
console.log(JSON.stringify({ pds: network.pds.url }))
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'process') {
    await network.processAll()
    console.log('processed')
  }
}
await network.close()
process.exit(0)
