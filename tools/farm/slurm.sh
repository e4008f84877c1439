#!/bin/bash
# One element of a Slurm array: sbatch --array=1-1000 tools/farm/slurm.sh FOLDER
#SBATCH --job-name=lorenz
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=02:00:00
#SBATCH --requeue
set -eu
folder=${1:?usage: sbatch --array=1-N slurm.sh FOLDER}
export LORENZ_JOBS="${SLURM_CPUS_PER_TASK:-1}"
exec "$folder/block" "${SLURM_ARRAY_TASK_ID:?this is for an array job: sbatch --array=1-N}"
