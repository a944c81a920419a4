/** The borders of the house (design section 2). Run by `npm run lint:borders`. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other cannot be understood one at a time.',
      severity: 'error',
      from: { pathNot: '^src/infrastructure/database/generated' },
      to: { circular: true, viaOnly: { pathNot: '^src/infrastructure/database/generated' } },
    },
    {
      name: 'infrastructure-knows-no-modules',
      severity: 'error',
      from: { path: '^src/infrastructure/' },
      to: { path: '^src/modules/' },
    },
    {
      name: 'modules-meet-through-their-modules',
      comment:
        'A module imports of another its module class, exported services (*.service, *.reader, *.registry), job contract, and response DTOs. ' +
        "media/filter is open as a whole: the fields are the media module's, and search joins the very same conditions into its own statements, so that a list and a search never differ in what a filter means.",
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: {
        path: '^src/modules/',
        pathNot: [
          '^src/modules/$1/',
          '[.]module[.]ts$',
          '[.]service[.]ts$',
          '[.]reader[.]ts$',
          '[.]registry[.]ts$',
          '[.]types[.]ts$',
          '[.]response[.]ts$',
          '/job-registry[.]ts$',
          '/plan-features[.]ts$',
          '/upload-sweeper[.]ts$',
          '/trash-purger[.]ts$',
          '^src/modules/media/filter/',
        ],
      },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { path: '(^test/|/testing/|\\.spec\\.ts$)' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: ['\\.process\\.ts$', '\\.worker\\.ts$', '\\.d\\.ts$', '\\.spec\\.ts$'],
      },
      to: {},
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: ['^node_modules/@types/', 'node_modules/express/'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
