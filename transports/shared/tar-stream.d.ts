// What we use of tar-stream, which comes without types.

declare module "tar-stream" {
  /** What a header is made from. */
  interface Header {
    readonly name: string;
    readonly size?: number;
    readonly mode: number;
    readonly mtime: Date;
    readonly type: "file" | "directory" | "symlink";
    readonly linkname?: string;
    readonly uid: number;
    readonly gid: number;
  }

  /** Where an entry's content goes. */
  interface Entry {
    on(event: "error", listener: (error: Error) => void): void;
  }

  /** An archive on its way out. */
  interface Pack {
    entry(header: Header): Entry;
    read(): Uint8Array | null;
    once(event: "readable", listener: () => void): void;
    on(event: "error", listener: (error: Error) => void): void;
    destroy(): void;
  }

  export function pack(): Pack;
}
