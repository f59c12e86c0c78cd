#!/usr/bin/env bash
# Builds the image on a base that is made here, and looks whether it is and does what
# docs/deploying.md says. Wants root, buildah, podman, debootstrap and curl, 10 GB of disk, ten
# minutes, and the ports 5000 to 5003:
#
#     [RUNTIME=runc] [INIT=/usr/bin/tini] deploy/container/check.sh [FOLDER [OPTION...]]
#
# FOLDER keeps the base and the images. The options are for `buildah build`, such as --build-arg
# TORCH_INDEX=..., or --volume /etc/pip.conf:/etc/pip.conf:ro. INIT is for podman without catatonit.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:-$(mktemp -d)}
shift || true
storage=(--root "$folder/storage" --runroot "$folder/run" --storage-driver vfs)
build() { buildah "${storage[@]}" "$@"; }
run() { podman "${storage[@]}" ${RUNTIME:+--runtime "$RUNTIME"} "$@"; }

# The limits are lower than podman's own, which not every machine grants. The health check is asked
# below: its timer would be systemd's.
start() {
    name=lookalike-$1
    shift
    run run --detach --name "$name" --network host --read-only --tmpfs /tmp --cap-drop all \
        --security-opt no-new-privileges --ulimit nofile=10000:10000 --ulimit nproc=10000:10000 \
        --health-interval disable "$@"
}
await() {
    for _ in $(seq 60); do
        run healthcheck run "lookalike-$1" && return
        sleep 2
    done
    run logs "lookalike-$1"
    return 1
}
send_photo() {
    api=http://127.0.0.1:5000/sandbox
    call() { curl --fail --silent --show-error --noproxy '*' "$@"; }
    call --header 'Content-Type: application/json' --data '{"id": 1001, "first_name": "Ada"}' "$api/users"
    call --form user=1001 --form photo=@docs/images/emoji-sheet.jpg "$api/chats/1001/messages"
    for _ in $(seq 60); do
        call "$api/events?after=0&kind=message" | python3 -c '
import json, sys
messages = [event["data"]["message"] for event in json.load(sys.stdin)["events"]]
pictures = [each for each in messages if each["from"]["is_bot"] and "photo" in each]
sys.exit(None if pictures else "There is no picture yet.")' && return
        sleep 2
    done
    return 1
}
stop() {
    run stop --time 20 "lookalike-$1"
    code=$(run inspect "lookalike-$1" --format '{{.State.ExitCode}}')
    echo "$1 ended with exit code $code."
    test "$code" = "$2"
}
clean() { run rm --force --time 15 --ignore lookalike-demo lookalike-up lookalike-sandbox; }

# With pip, for the image to be rid of.
if [ ! -e "$folder/base.tar" ]; then
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        bookworm "$folder/base"
    tar --create --file "$folder/base.tar" --directory "$folder/base" .
fi
run import --quiet "$folder/base.tar" lookalike-base >/dev/null
build build --isolation chroot --format docker --layers=false "$@" \
    --build-arg BASE=localhost/lookalike-base \
    --file deploy/container/Containerfile --tag lookalike .
run image inspect lookalike --format '{{.Size}} bytes, user {{.User}}'

trap clean EXIT
start demo lookalike demo --no-browser
run exec lookalike-demo lookalike --version
run exec lookalike-demo sh -c '
    test "$(id -u)" = 10001 || exit 1
    for tool in cc gcc make pip pip3; do
        ! command -v "$tool" || exit 1
    done
    base=$(readlink -f /opt/lookalike/bin/python)
    for module in pip setuptools wheel; do
        ! "$base" -c "import $module; print($module)" 2>/dev/null || exit 1
    done
    ! python -c "import pip; print(pip)" 2>/dev/null || exit 1
    ! touch /opt/lookalike/x 2>/dev/null'
await demo
send_photo demo
signal() {
    run exec lookalike-demo sh -c "
        for process in /proc/[0-9]*; do
            ! tr '\\0' ' ' <\$process/cmdline | grep -q -e '-m [s]andbox ' ||
                kill -$1 \${process#/proc/}
        done"
}
signal STOP
if run healthcheck run lookalike-demo; then
    echo "The health check did not see that the sandbox was frozen."
    exit 1
fi
signal CONT
await demo
stop demo 143

settings=(--env TELEGRAM_BOT_TOKEN=10001:a-token-that-is-for-the-sandbox-only
    --env TELEGRAM_API_URL=http://127.0.0.1:5000 --env BOT_ACCESS=everyone
    --env CAPTIONER=offline --env GENERATOR_MODEL=emoji)
start sandbox "${settings[@]}" lookalike sandbox
await sandbox
start up --init ${INIT:+--init-path "$INIT"} "${settings[@]}" lookalike up
await up
send_photo up
stop up 0
stop sandbox 0
echo "The image is as it should be."
