#!/bin/sh
# Makes the files that the compose files hand to their containers as secrets, in secrets/ beside this:
# what nobody has to know is made up; what others have given you is empty, for you to fill in. What is
# there already stays.
#
#     sh secrets.sh
set -eu
umask 022
cd "$(dirname "$0")"
# Each container reads its files as a user of its own; on this machine nobody else gets in here.
mkdir -p secrets
chmod 700 secrets
cd secrets

for name in telegram-bot-token azure-vision-key aws-access-key-id aws-secret-access-key; do
    : >>"$name"
done
for name in service-token postgres-password grafana-password ray-token; do
    test -s "$name" || od -A n -t x1 -N 32 /dev/urandom | tr -d ' \n' >"$name"
done
password=$(cat postgres-password)
test -s database-url || echo "postgresql://lookalike:$password@postgres/lookalike" >database-url
test -s generator-database-url || echo "postgresql://lookalike:$password@postgres/jobs" >generator-database-url
