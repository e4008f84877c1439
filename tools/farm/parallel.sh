#!/bin/sh
# All blocks of FOLDER on the hosts of a list, by GNU parallel over ssh:
#     tools/farm/parallel.sh FOLDER HOSTS
# The project's folder is the same on each of them (a shared file system).
set -eu
folder=${1:?usage: parallel.sh FOLDER HOSTS}
hosts=${2:?usage: parallel.sh FOLDER HOSTS}
exec parallel --sshloginfile "$hosts" --workdir "$PWD" --joblog "$folder/log" --resume-failed \
    --retries 3 <"$folder/commands.txt"
