#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The first process of a User-Mode Linux: its kernel has the SCTP that this machine's may lack. Loads the modules, runs
the programs named in the environment, tells their exit status, and turns the kernel off."""
import ctypes
import os
import subprocess

os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
LIBC = ctypes.CDLL(None, use_errno=True)
FINIT_MODULE = 313  # x86-64
POWER_OFF = 0x4321FEDC


def load(path):
    fd = os.open(path, os.O_RDONLY)
    if LIBC.syscall(FINIT_MODULE, fd, b"", 0):
        print(f"uml: {path}: {os.strerror(ctypes.get_errno())}")
    os.close(fd)


def main():
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=False)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=False)
    for path in os.environ["UML_MODULES"].split(","):
        load(path)
    # The cookie's digest is another module; the test needs no secret cookies.
    with open("/proc/sys/net/sctp/cookie_hmac_alg", "w", encoding="ascii") as file:
        file.write("none")
    for line in ("ip link set lo up", "ip addr add 192.0.2.9/24 dev dummy0", "ip link set dummy0 up"):
        subprocess.run(line.split(), check=False)
    os.environ["GATEHOUSE_SCTP_SYSCTL"] = "1"  # this kernel's settings are ours to change
    for program in os.environ["UML_PROGRAMS"].split(","):
        print("uml: exit status", subprocess.run([program], check=False).returncode, flush=True)


try:
    main()
finally:
    LIBC.reboot(POWER_OFF)
