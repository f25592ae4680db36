const ACME = { id: 'org_acme', name: 'Acme', slug: 'acme' }
const GLOBEX = { id: 'org_globex', name: 'Globex', slug: 'globex' }

/** The people whom the mocked session issuer lists, as the sandbox lists its own. */
export const SAMPLE_PEOPLE = [
  {
    id: 'user_acme_admin',
    name: 'Acme admin',
    email: 'admin@acme.example.com',
    orgs: [{ ...ACME, role: 'admin' }],
  },
  {
    id: 'user_acme_member',
    name: 'Acme member',
    email: 'member@acme.example.com',
    orgs: [{ ...ACME, role: 'member' }],
  },
  {
    id: 'user_globex_admin',
    name: 'Globex admin',
    email: 'admin@globex.example.com',
    orgs: [{ ...GLOBEX, role: 'admin' }],
  },
  {
    id: 'user_accountant',
    name: 'Accountant',
    email: 'accountant@example.com',
    orgs: [
      { ...ACME, role: 'admin' },
      { ...GLOBEX, role: 'admin' },
    ],
  },
]
