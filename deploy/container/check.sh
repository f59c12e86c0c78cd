#!/usr/bin/env bash
# Builds the image on a base that is made here, and looks whether it is as docs/deploying.md says.
# Wants root, buildah, podman and debootstrap, 10 GB of disk and ten minutes:
#
#     [RUNTIME=runc] deploy/container/check.sh [FOLDER [OPTION...]]
#
# FOLDER keeps the base and the images. The options are for `buildah build`, such as --build-arg
# TORCH_INDEX=..., or --volume /etc/pip.conf:/etc/pip.conf:ro.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:-$(mktemp -d)}
shift || true
storage=(--root "$folder/storage" --runroot "$folder/run" --storage-driver vfs)
build() { buildah "${storage[@]}" "$@"; }
run() { podman "${storage[@]}" ${RUNTIME:+--runtime "$RUNTIME"} "$@"; }

if [ ! -e "$folder/base.tar" ]; then
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
        bookworm "$folder/base"
    tar --create --file "$folder/base.tar" --directory "$folder/base" .
fi
run import --quiet "$folder/base.tar" lookalike-base >/dev/null
build build --isolation chroot --format docker --layers=false "$@" \
    --build-arg BASE=localhost/lookalike-base \
    --file deploy/container/Containerfile --tag lookalike .
run image inspect lookalike --format '{{.Size}} bytes, user {{.User}}'

# The limits are lower than podman's own, which not every machine grants. The check is asked below:
# its timer would be systemd's.
run run --detach --name lookalike-demo --network host --read-only --tmpfs /tmp --cap-drop all \
    --security-opt no-new-privileges --ulimit nofile=10000:10000 --ulimit nproc=10000:10000 \
    --health-interval disable lookalike demo --no-browser
trap 'run rm --force --time 15 lookalike-demo' EXIT
run exec lookalike-demo lookalike --version
run exec lookalike-demo sh -c '
    test "$(id -u)" = 10001 &&
        for tool in cc gcc make; do ! command -v "$tool" || exit 1; done &&
        test ! -e /opt/lookalike/bin/pip &&
        ! touch /opt/lookalike/x 2>/dev/null'
for _ in $(seq 60); do
    if run healthcheck run lookalike-demo; then
        echo "The demo is well."
        exit 0
    fi
    sleep 2
done
run logs lookalike-demo
exit 1
