import { MemoryRecords } from "../../../core/cache/memory.ts";
import { recordsSuite } from "../../support/records-suite.ts";

recordsSuite("MemoryRecords", () => ({ records: new MemoryRecords() }));
