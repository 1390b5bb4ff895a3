// Tidying: asking the runtime to give back what streams have left behind.
//
// Left to itself it waits until much has gathered, the more the faster content flows: for several layers in
// work a hundred megabytes. Asked now and then, it takes a few milliseconds each time.

/** So many bytes may pass, of all streams together. */
const tidiedBytes = 8 * 1024 * 1024;

let passedBytes = 0;

/** Says that so many bytes have passed, with as much left behind. */
export function tidyAfter(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < tidiedBytes) return;
  passedBytes = 0;
  Bun.gc(true);
}
