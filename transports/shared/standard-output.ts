// Standard output: how it is named where a file is expected.

/** Tells whether a path names standard output. */
export function isStandardOutput(path: string): boolean {
  return /^(?:-|\/dev\/stdout|\/dev\/fd\/1|\/proc\/self\/fd\/1)$/.test(path);
}
