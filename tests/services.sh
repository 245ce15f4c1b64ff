# shellcheck shell=bash disable=SC2154
# Sourced by tests/run: private PostgreSQL and Redis servers on free ports of loopback, with their data in $scratch.
# Installs them from the distribution where they are missing and the user may do that.

# The directory of initdb and postgres; Debian keeps them off the PATH.
postgres_programs() {
  local directory
  for directory in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/bin \
    "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")"; do
    if [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ]; then
      echo "$directory"
      return
    fi
  done
  return 1
}

# Installs packages with whatever right there is; stays silent unless that fails.
install_packages() {
  local as_root=() log=$scratch/install.log
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "please install: $* (I am not root, and sudo asks for a password)"
    as_root=(sudo -n)
  fi
  command -v apt-get >/dev/null || fail "please install: $* (there is no apt-get here)"
  echo "installing $*" >&2
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@")
  "${install[@]}" >"$log" 2>&1 </dev/null && return
  { "${as_root[@]}" apt-get update && "${install[@]}"; } >"$log" 2>&1 </dev/null && return
  tail -n 20 "$log" >&2
  fail "$* could not be installed"
}

install_services() {
  local missing=()
  postgres_programs >/dev/null || missing+=(postgresql)
  command -v redis-server >/dev/null || missing+=(redis-server)
  [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

# A port on loopback that nobody listens on, below the range of outgoing connections.
free_port() {
  local port
  for port in $(shuf -i 10000-19999 -n 100); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail "there is no free port between 10000 and 19999"
}

# Tries "$@" until it succeeds, while the process $1 lives, for at most half a minute; $2 is its log.
wait_for() {
  local pid=$1 log=$2 _
  shift 2
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$log" >&2
  fail "a service did not start"
}

# Tests need nothing to survive a power failure; who measures clears this.
postgres_durability=(-c fsync=off -c full_page_writes=off)

# PostgreSQL refuses to be root, so it is somebody else then.
start_postgres() {
  local programs data=$scratch/postgres log=$scratch/postgres.log port user as_user=()
  programs=$(postgres_programs) || fail "PostgreSQL is installed, and its initdb is nowhere"
  if [ "$(id -u)" = 0 ]; then
    user=$(id -nu postgres 2>/dev/null || echo nobody)
    as_user=(setpriv --reuid="$user" --regid="$(id -ng "$user")" --clear-groups)
    # The directory in between need not be readable, only passable.
    chmod 711 "$scratch"
  fi
  mkdir "$data"
  [ ${#as_user[@]} = 0 ] || chown "$user" "$data"
  (cd "$data" && "${as_user[@]}" "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync) >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2 && fail "initdb failed"; }
  port=$(free_port)
  (cd "$data" && exec "${as_user[@]}" "$programs/postgres" -D "$data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    "${postgres_durability[@]}" -c max_connections=500 -c shared_buffers=64MB) >>"$log" 2>&1 </dev/null &
  postgres_pid=$!
  wait_for "$postgres_pid" "$log" "$programs/psql" -h 127.0.0.1 -p "$port" -U postgres -d postgres -c 'SELECT 1'
  export AGENTIDP_TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
}

start_redis() {
  local log=$scratch/redis.log port
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$scratch" >"$log" 2>&1 </dev/null &
  redis_pid=$!
  wait_for "$redis_pid" "$log" redis-cli -h 127.0.0.1 -p "$port" ping
  export AGENTIDP_TEST_REDIS_URL=redis://127.0.0.1:$port
}

start_services() {
  install_services
  start_postgres
  start_redis
}

# SIGINT is PostgreSQL's word for a fast, orderly stop.
stop_services() {
  [ -z "${redis_pid:-}" ] || kill -TERM "$redis_pid" 2>/dev/null || true
  [ -z "${postgres_pid:-}" ] || kill -INT "$postgres_pid" 2>/dev/null || true
  [ -z "${redis_pid:-}${postgres_pid:-}" ] || wait ${redis_pid:+"$redis_pid"} ${postgres_pid:+"$postgres_pid"} 2>/dev/null || true
}
