#!/usr/bin/env bash
# A batch as a Slurm array: sbatch --array=0-63 examples/batch/slurm.sh tasks.jsonl /shared/clips
# A task that is requeued, or an array that is submitted again, makes what is missing.
#SBATCH --job-name=kinograd
#SBATCH --cpus-per-task=2
#SBATCH --requeue
set -euo pipefail
exec "${KINOGRAD:-kinograd}" batch "$1" -o "$2" --shard auto --threads "${SLURM_CPUS_PER_TASK:-0}"
