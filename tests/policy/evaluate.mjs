// Puts questions to an IAM evaluator: `node evaluate.mjs <folder with node_modules>`, JSON in and out.
//
// In:  {"policies": {name: document},
//       "questions": [{principal, identity: [name], session: name or null, boundary: name or null, action, resource, context}]}
// Out: [{"decision": "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied" | "Error", "why": text, "ignored": [context key]}]
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const require = createRequire(join(process.argv[2], 'package.json'))
const { runSimulation } = require('@cloud-copilot/iam-simulate')

// The policy that KMS gives a key if its owner says nothing: without one that names the account, no IAM policy counts.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
const ofKeys = (account) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
})

async function answer(policies, { principal, identity, session, boundary, action, resource, context }) {
  const account = principal.split(':')[4]
  const simulation = {
    request: {
      principal,
      action,
      // What does not exist yet has no name. A `*` would ask about everything that exists.
      resource: { resource: resource === '*' ? '*' : resource.replaceAll('*', 'new'), accountId: account },
      contextVariables: context,
    },
    identityPolicies: identity.map((name) => ({ name, policy: policies[name] })),
    ...(session === null ? {} : { sessionPolicy: policies[session] }),
    ...(boundary === null ? {} : { permissionBoundaryPolicies: [{ name: boundary, policy: policies[boundary] }] }),
    ...(action.startsWith('kms:') ? { resourcePolicy: ofKeys(account) } : {}),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }
  const response = await runSimulation(simulation, {})
  if (response.resultType !== 'single') {
    return { decision: 'Error', why: JSON.stringify(response.errors ?? response.resultType), ignored: [] }
  }
  return { decision: response.overallResult, why: '', ignored: response.result.ignoredContextKeys ?? [] }
}

const { policies, questions } = JSON.parse(await text(process.stdin))
const answers = []
for (const question of questions) {
  answers.push(await answer(policies, question))
}
process.stdout.write(JSON.stringify(answers))
