"""python3 -m support.tap MODULE...: runs unittest modules and reports in TAP, one line a test, which is what
Meson reads and tools/run-tests counts."""

import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def line(self, word, test, note=""):
        self.number += 1
        name = test.id() if hasattr(test, "id") else str(test)
        print(f"{word} {self.number} - {name}{note}", flush=True)

    def fail(self, test, reason):
        self.line("not ok", test)
        for line in "".join(traceback.format_exception(*reason)).splitlines():
            print(f"# {line}")
        sys.stdout.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        if not getattr(test, "subtest_failed", False):
            self.line("ok", test)

    def addFailure(self, test, reason):
        super().addFailure(test, reason)
        self.fail(test, reason)

    def addError(self, test, reason):
        super().addError(test, reason)
        self.fail(test, reason)

    def addSubTest(self, test, subtest, reason):
        super().addSubTest(test, subtest, reason)
        if reason is not None:
            test.subtest_failed = True
            self.fail(subtest, reason)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    result = TapResult()
    suite.run(result)
    print(f"1..{result.number}")
    return 0 if result.wasSuccessful() and result.number else 1


if __name__ == "__main__":
    sys.exit(main())
