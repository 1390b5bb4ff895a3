// Definitions, and the scripts they come to. All rows are as skopeo 1.22 makes them.

import { describe, expect, test } from "bun:test";
import { runScriptOf } from "../../../transports/sif/definition.ts";

describe("runScriptOf", () => {
  test.each([
    [
      "Bootstrap: docker\n%environment\n# c\n  export A=b\n\n%runscript\necho\n# keep\n%labels\n a b\n",
      "#!/bin/bash\nexport A=b\necho\n# keep\n",
    ],
    [
      "x\n%runscript  \n\n   echo a  \n\n\techo b\n%post\nfoo\n%runscript\nsecond\n",
      "#!/bin/bash\n\n\necho a\n\necho b\nsecond\n",
    ],
    ["  %runscript\n echo hi", "#!/bin/bash\n\necho hi\n"],
    ["%environment\r\nA=1\r\n%runscript\r\necho x\r\n", "#!/bin/bash\nA=1\necho x\n"],
    [
      "%runscript\n# only\n  %notsection\n%appenv x\nq\n%environment\nZ=1 # c\n",
      "#!/bin/bash\nZ=1 # c\n# only\n",
    ],
    ["%runscript\n\n\n", "#!/bin/bash\n\n\n\n"],
    ["%environment foo\n a=1\n%runscript x\n b\n", undefined],
    ["%environment\n\n #c\n\n%runscript\n", undefined],
    ["%Runscript\nx\n%environmentx\ny\n", undefined],
    ["", undefined],
  ])("%j", (definition, script) => {
    expect(runScriptOf(definition)).toBe(script);
  });
});
