# farm.py LORENZ SCENARIOS TOOLS — blocks of a sweep by those who spread work over machines: Slurm (a
# real one, of this machine alone), GNU parallel, and the manifest for Kubernetes. TAP.
#
# What is merged of the blocks must be the sweep that ran in one place, byte for byte.
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time

LORENZ, SCENARIOS, TOOLS = sys.argv[1:4]
BLOCKS = 4

CONFIG = """ClusterName=lorenz
SlurmctldHost={host}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=here Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=150, **more)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Case:
    def __init__(self):
        self.number = 0

    def say(self, holds, name, detail=""):
        self.number += 1
        print(f"{'ok' if holds else 'not ok'} {self.number} - {name}", flush=True)
        for line in str(detail).splitlines() if not holds else []:
            print("# " + line)

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}", flush=True)


def emit(folder):
    shutil.copy(os.path.join(SCENARIOS, "chancy.lua"), folder)
    made = run(LORENZ, "sweep", "chancy.lua", "--seeds", "12", "--blocks", str(BLOCKS), "--emit",
               "farm", cwd=folder)
    whole = run(LORENZ, "sweep", "chancy.lua", "--seeds", "12", "--no-save", "--no-shrink",
                "--keep", "none", "--progress", "none", "-o", "json=whole.json", cwd=folder)
    assert made.returncode == 0 and whole.returncode == 1, made.stderr + whole.stderr


def is_whole(folder):
    merged = run(LORENZ, "report", "farm", "-o", "json=merged.json", cwd=folder)
    if not os.path.exists(folder + "/merged.json"):
        return False, merged.stdout + merged.stderr
    same = open(folder + "/merged.json").read() == open(folder + "/whole.json").read()
    return same, merged.stdout + merged.stderr


def start_munge(folder):
    with open(folder + "/munge.key", "wb") as key:
        key.write(os.urandom(1024))
    os.chmod(folder + "/munge.key", 0o400)
    return subprocess.Popen(
        ["munged", "--foreground", "--force", "--key-file", folder + "/munge.key", "--socket",
         folder + "/munge.socket", "--pid-file", folder + "/munge.pid", "--log-file",
         folder + "/munge.log", "--seed-file", folder + "/munge.seed"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(happened, seconds):
    end = time.time() + seconds
    while time.time() < end:
        if happened():
            return True
        time.sleep(0.3)
    return False


def slurm(case, folder):
    name = "a Slurm array of blocks is the sweep"
    needed = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"]
    missing = [p for p in needed if shutil.which(p) is None]
    if missing:
        case.skip(name, f"no {missing[0]} here (Debian's slurm-wlm and munge)")
        return
    if os.geteuid() != 0:
        case.skip(name, "slurmd starts jobs as their user, which takes root")
        return
    emit(folder)
    os.chmod(folder, 0o755)
    os.makedirs(folder + "/state")
    os.makedirs(folder + "/spool")
    host = socket.gethostname().split(".")[0]
    with open(folder + "/slurm.conf", "w") as conf:
        conf.write(CONFIG.format(host=host, user=pwd.getpwuid(os.geteuid()).pw_name, folder=folder,
                                 controller=free_port(), daemon=free_port(),
                                 cpus=len(os.sched_getaffinity(0))))
    env = dict(os.environ, SLURM_CONF=folder + "/slurm.conf", LORENZ=LORENZ)
    started, log = [start_munge(folder)], open(folder + "/slurm.log", "w")
    try:
        wait_for(lambda: os.path.exists(folder + "/munge.socket"), 20)
        for command in (["slurmctld", "-D"], ["slurmd", "-D", "-N", host]):
            started.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))
        up = wait_for(lambda: "idle" in run("sinfo", "-h", "-o", "%t", env=env).stdout, 40)
        if not up:
            case.skip(name, "this machine runs no Slurm: " + " ".join(
                open(folder + "/slurm.log").read().split("\n")[-3:])[:200])
            return
        asked = run("sbatch", f"--array=1-{BLOCKS}", "--output=/dev/null", "--wrap",
                    "farm/block", cwd=folder, env=env)
        over = wait_for(lambda: run("squeue", "-h", env=env).stdout == "", 120)
        same, detail = is_whole(folder)
        case.say(asked.returncode == 0 and over and same, name,
                 asked.stderr + detail + open(folder + "/slurm.log").read()[-1500:])
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(30)


def parallel(case, folder):
    name = "GNU parallel over the list of commands is the sweep"
    if shutil.which("parallel") is None:
        case.skip(name, "no parallel here")
        return
    emit(folder)
    done = run("parallel", "-j2", "--will-cite", stdin=open(folder + "/farm/commands.txt"),
               cwd=folder, env=dict(os.environ, LORENZ=LORENZ, HOME=folder))
    same, detail = is_whole(folder)
    case.say(same and done.returncode == 0, name, done.stderr + detail)


# By the schemas that Kubernetes publishes, and one that must be refused, for they could let all pass.
def by_schema(case, job):
    name, refuses = "the manifest is valid batch/v1", "a manifest that is none is refused"
    if shutil.which("node") is None:
        case.skip(name, "no node here")
        return
    ask = ["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "kubernetes.js"),
           os.path.dirname(TOOLS)]
    done = subprocess.run(ask, input=json.dumps(job), capture_output=True, text=True)
    if done.returncode == 77:
        case.skip(name, done.stdout.strip() + ": tools/setup-tests installs it")
        return
    case.say(done.returncode == 0, name, done.stdout + done.stderr)
    job = json.loads(json.dumps(job))
    job["spec"]["completions"] = "many"
    job["spec"]["template"]["spec"]["restarts"] = "OnFailure"
    done = subprocess.run(ask, input=json.dumps(job), capture_output=True, text=True)
    told = "completions must be integer" in done.stdout \
        and "template/spec/restarts is no field of PodSpec" in done.stdout
    case.say(done.returncode == 1 and told, refuses, done.stdout + done.stderr)


def kubernetes(case, folder):
    try:
        import yaml
    except ImportError:
        case.skip("the manifest is an indexed Job", "no PyYAML here")
        return
    job = yaml.safe_load(open(os.path.join(TOOLS, "farm/kubernetes.yaml")))
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    box = pod["containers"][0]
    volumes = {v["name"] for v in pod["volumes"]}
    # batch/v1: an indexed Job needs completions, and its pods may not restart for ever.
    holds = (job["apiVersion"], job["kind"]) == ("batch/v1", "Job") \
        and set(spec) <= {"completionMode", "completions", "parallelism", "backoffLimit",
                          "template", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} \
        and spec["completionMode"] == "Indexed" and spec["completions"] > 0 \
        and pod["restartPolicy"] in ("OnFailure", "Never") \
        and pod["securityContext"]["runAsNonRoot"] \
        and {m["name"] for m in box["volumeMounts"]} <= volumes
    case.say(holds, "the manifest is an indexed Job", job)
    by_schema(case, job)
    emit(folder)
    command = [os.path.join(folder, part) for part in box["command"]]
    for index in range(BLOCKS):
        run(*command, cwd=folder, env=dict(os.environ, LORENZ=LORENZ,
                                           JOB_COMPLETION_INDEX=str(index)))
    same, detail = is_whole(folder)
    case.say(same, "what its pods run by index is the sweep", detail)


CASE = Case()
for test in (slurm, parallel, kubernetes):
    with tempfile.TemporaryDirectory() as place:
        test(CASE, place)
print(f"1..{CASE.number}")
