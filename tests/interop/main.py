"""The official clients and ours against one emulator server; see README.md.

python main.py PROGRAM [--modules FOLDER] [--write-table]
"""

import argparse
import sys

import urllib3.util.url

import scenes
import scenes_credentials
import scenes_documents
import scenes_managers
import scenes_more
import table
from client_js import AliOss
from client_oss2 import Oss2
from client_v2 import AsyncV2, V2
from compare import Report
from ours import Ours
from pair import Pair

# urllib3 folds `a/../b` into `b` after the request was signed, so no request for such a key can be right. OSS
# and the other clients take keys as they are.
urllib3.util.url._remove_path_dot_segments = lambda path: path


def main():
    arguments = argparse.ArgumentParser(
        description="the official clients and ours against one emulator server"
    )
    arguments.add_argument("program", help="the program `interop`")
    arguments.add_argument("--modules", help="the folder node_modules with ali-oss in it")
    arguments.add_argument("--write-table", action="store_true", help="write the counts into README.md")
    arguments.add_argument("--only", nargs="+", help="these clients; the table is not checked")
    arguments = arguments.parse_args()
    report = Report()
    ours = Ours(arguments.program)
    clients = [
        V2("v2", ours),
        V2("v2-v1", ours, signature="v1"),
        AsyncV2("v2-async", ours),
        Oss2("oss2", ours),
        Oss2("oss2-v1", ours, signature="v1"),
    ]
    if arguments.modules:
        clients += [
            AliOss("ali-oss", ours, arguments.modules),
            AliOss("ali-oss-v1", ours, arguments.modules, signature="v1"),
        ]
    if arguments.only:
        clients = [theirs for theirs in clients if theirs.name in arguments.only]
    try:
        for theirs in clients:
            pair = Pair(ours, theirs, report)
            scenes.all_scenes(pair)
            scenes_more.all_scenes(pair)
            scenes_managers.all_scenes(pair)
            if type(theirs) is V2:
                scenes_documents.all_scenes(pair)
            if theirs.name == "v2":
                scenes_credentials.all_scenes(pair)
    finally:
        for theirs in clients:
            theirs.close()
        ours.close()
    names = [theirs.name for theirs in clients]
    if arguments.write_table:
        table.write(report, names)
    if not arguments.only:
        report.bad += table.differences(report, names)
    return 0 if report.close() else 1


if __name__ == "__main__":
    sys.exit(main())
