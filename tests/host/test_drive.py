"""The CIRCUITPY drive: what a program may read and write, and that it cannot leave it."""

import os


def test_read_only_unless_boot_py_says_so(adder, drive):
    code = ("import os\nfor f in (lambda: open('/x.txt', 'w'), lambda: os.mkdir('/d'), lambda: os.remove('/code.py'),\n"
            "          lambda: os.rename('/code.py', '/y'), lambda: open('/code.py', 'r+')):\n"
            "    try: f()\n    except OSError as e: print('errno', e.errno)\nprint(open('/code.py').read(9))\n")
    run = adder(code)
    assert run.out.count("errno 30\n") == 5 and "import os" in run.out
    assert not (drive / "x.txt").exists()


def test_writing_after_remount(adder, drive):
    run = adder("import os\nwith open('/log.txt', 'a') as f: f.write('line\\n')\nos.mkdir('/data')\nos.rename('/log.txt', '/data/l.txt')\n"
                "print(os.listdir('/data'), os.stat('/data/l.txt')[6], os.stat('/data')[0])\n",
                files={"boot.py": "import storage\nstorage.remount('/', readonly=False)\n"})
    assert "['l.txt'] 5 16384\n" in run.out
    assert (drive / "data/l.txt").read_text() == "line\n"


def test_remount_outside_boot_py_is_refused(adder):
    run = adder("import storage\ntry:\n    storage.remount('/', False)\nexcept RuntimeError as e:\n    print('refused')\n")
    assert "refused" in run.out


def test_nothing_leads_out_of_the_drive(adder, drive, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    os.symlink(tmp_path, drive / "up")
    os.symlink(tmp_path / "secret.txt", drive / "link.txt")
    run = adder("import os\nfor p in ('../secret.txt', '/../secret.txt', 'up/secret.txt', 'link.txt', '/etc/passwd', '/.adder/cache',\n"
                "          '/lib/../../secret.txt', '//../secret.txt', '/proc/self/mem'):\n"
                "    for f in (lambda: open(p).read(), lambda: os.stat(p)):\n"
                "        try: print('BAD', p, f())\n        except OSError as e: print('ok', e.errno)\n"
                "print(os.listdir('/'))\ntry: open(0)\nexcept OSError: print('no descriptors')\n")
    assert run.out.count("ok 2\n") == 18 and "BAD" not in run.out and "secret'" not in run.out
    assert "['code.py', 'link.txt', 'up']" in run.out and "no descriptors" in run.out


def test_imports_do_not_leave_the_drive(adder, drive, tmp_path):
    (tmp_path / "outside.py").write_text("print('BAD')\n")
    (drive / "lib").mkdir()
    os.symlink(tmp_path / "outside.py", drive / "lib" / "outside.py")
    os.symlink(drive / "real.py", drive / "lib" / "linked.py")
    run = adder("import linked\ntry: import outside\nexcept ImportError as e: print(e)\n", files={"real.py": "print('inside')\n"})
    assert "inside\nno module named 'outside'\n" in run.out


def test_paths_and_the_working_directory(adder):
    run = adder("import os\nprint(os.getcwd(), os.sep)\nos.chdir('a/b')\nprint(os.getcwd(), open('f.txt').read(), open('../../code.py').read(6))\n"
                "os.chdir('..')\nprint(os.getcwd(), os.listdir(), os.listdir('/a/b'))\n"
                "try: os.chdir('nope')\nexcept OSError as e: print(e.errno)\n", files={"a/b/f.txt": "text"})
    assert "/ /\n/a/b text import\n/a ['b'] ['f.txt']\n2\n" in run.out


def test_names_match_whatever_their_case(adder):
    run = adder("print(open('/IMAGES/Logo.TXT').read())\n", files={"images/logo.txt": "found"})
    assert "found" in run.out


def test_text_is_left_alone(adder, drive):
    (drive / "dos.txt").write_bytes("a\r\nb\u00e9\n".encode())
    run = adder("print(repr(open('dos.txt').read()), open('dos.txt', 'rb').read(3), open('dos.txt').readline() == 'a\\r\\n')\n")
    assert "'a\\r\\nb\u00e9\\n' b'a\\r\\n' True\n" in run.out


def test_os_has_what_circuitpython_has(adder):
    run = adder("import os\nprint(hasattr(os, 'environ'), hasattr(os, 'system'), hasattr(os, 'path'), len(os.urandom(5)), len(os.statvfs('/')))\n"
                "u = os.uname()\nprint(u.machine, u[0] == u.sysname, len(u))\nos.sync()\n")
    assert "False False False 5 10\nAdafruit PyPortal with samd51j20 True 5\n" in run.out


def test_wrong_arguments(adder):
    run = adder("import os\nfor f in (lambda: open(b'x'), lambda: os.stat(5), lambda: open('a\\0b'), lambda: os.urandom(-1)):\n"
                "    try: f()\n    except (TypeError, ValueError) as e: print('right')\n")
    assert run.out.count("right") == 4


def test_settings(adder):
    run = adder("import os\nprint(repr(os.getenv('A')), repr(os.getenv('N')), os.getenv('none'), os.getenv('none', 5))\n",
                files={"settings.toml": '# c\nA = "a\\tb"\nN = 42\n[section]\nnone = 1\n'})
    assert "'a\\tb' '42' None 5\n" in run.out


def test_malformed_settings_are_told_and_do_not_stop(adder, drive):
    run = adder("print('runs')\n", files={"settings.toml": 'A = 1\nSSID = "home\n'})
    assert f"{drive}/settings.toml:2: the text has no closing quote" in run.err
    assert "runs" in run.out and run.code == 0
