import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What no business code may do; each rule says why. */
const restrictedSyntax = [
  {
    selector: 'MemberExpression[property.name=/^\\$(query|execute)RawUnsafe$/]',
    message: 'Use Prisma.sql: parameters only, no strings glued into SQL (threat C17).',
  },
  {
    selector: "CallExpression[callee.object.name='Prisma'][callee.property.name='raw']",
    message: 'Prisma.raw is for values of a constant map; disable this rule on the line and say which.',
  },
  {
    selector: "CallExpression[callee.name='fetch']",
    message: 'fetch ignores agents and reaches private addresses (threat C11): use the one outgoing client.',
  },
];

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      '.data/',
      '.services/',
      'coverage/',
      'src/infrastructure/database/generated/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    // Classes in constructors and DTOs are read at run time through decorator metadata: their imports are no types.
    languageOptions: { parserOptions: { emitDecoratorMetadata: true, experimentalDecorators: true } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
    },
  },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...restrictedSyntax] } },
  {
    // One door to the database: only the database folder, and process start-up, may hold a client.
    files: ['src/**/*.ts'],
    ignores: ['src/infrastructure/database/**', 'src/infrastructure/runtime.ts', 'src/**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'pg', message: 'Use Database.run.' },
            { name: '@prisma/client', message: 'Use Database.run.' },
          ],
        },
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/database/generated/client.js'],
              importNames: ['PrismaClient'],
              message: 'Use Database.run: a bare client escapes row-level security.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        console: 'readonly',
        module: 'writable',
        process: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  {
    files: [
      'src/seed.ts',
      'src/maintenance.ts',
      'scripts/**',
      'bench/**',
      'test/harness/**',
      'prisma/**',
      'src/process.ts',
      'src/start-up/**',
      '*.config.*',
      'docker/**',
    ],
    rules: { 'no-console': 'off' },
  },
);
