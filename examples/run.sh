#!/bin/sh
# run.sh: serves a folder of cards with nginx in the foreground.
#   examples/run.sh MODULE.so CONTENT PORT
# Called by `make run` from the project's root.  Everything nginx writes goes
# to build/run; INT or TERM stops it.

set -u

say() { printf 'cardfeed: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

[ $# -eq 3 ] || { echo "usage: $0 MODULE.so CONTENT PORT" >&2; exit 2; }

absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        *) printf '%s/%s' "$PWD" "$1" ;;
    esac
}

# A quoted word of nginx.conf.
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

module=$(absolute "$1")
content=$(absolute "$2")
port=$3
run=$(absolute build/run)
nginx=${CARDFEED_NGINX:-$(PATH=$PATH:/usr/sbin:/sbin command -v nginx)}

case $port in
    '' | *[!0-9]* | ??????*) port=0 ;;
esac
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
    die "PORT is \"$3\", but must be 1 to 65535"
fi
[ -n "$nginx" ] || die "nginx is not installed; \"make deps\" does that"
[ -f "$module" ] || die "no module at $module; \"make build\" makes it"
[ -d "$content" ] || die "CONTENT is \"$content\": no such directory"
content=$(cd "$content" && pwd) || die "CONTENT \"$2\" cannot be entered"
mkdir -p "$run/tmp" || die "cannot write to $run"

# --- who the workers are: www-data if it can read the cards and keep the index

me=$(id -un 2>/dev/null || id -u)

as_www() { setpriv --reuid=www-data --regid=www-data --clear-groups -- "$@"; }

www_can_work() {
    if ! command -v setpriv >/dev/null || ! id www-data >/dev/null 2>&1; then
        why="there is no user www-data"
        return 1
    fi
    # Names with a leading dot are never read.
    if ! bad=$(as_www find "$content/" -mindepth 1 -name '.*' -prune \
        -o ! -type l ! -readable -print -quit \
        -o -type d ! -executable -print -quit 2>&1) || [ -n "$bad" ]; then
        why="www-data cannot read all of $content"
        return 1
    fi
    if ! chown www-data:www-data "$run/index" ||
        ! as_www test -w "$run/index"; then
        why="www-data cannot reach $run"
        return 1
    fi
}

# The index is a cache: one that another user left is made again.
if [ -e "$run/index" ] && [ ! -w "$run/index" ]; then
    die "$run/index belongs to another user; remove it"
fi
mkdir -p "$run/index" || die "cannot write to $run"

user_line=
if [ "$(id -u)" -ne 0 ]; then
    say "workers run as the invoking user, $me"
elif www_can_work; then
    chown -R www-data:www-data "$run/index"
    user_line='user www-data;'
    say "workers run as www-data"
else
    chown -R "$(id -u):$(id -g)" "$run/index"
    user_line="user $me;"
    say "workers run as the invoking user, $me: $why"
fi

# --- the configuration

cat >"$run/nginx.conf" <<EOF
load_module $(quote "$module");
daemon off;
$user_line
worker_processes 2;
pid $(quote "$run/nginx.pid");
error_log stderr notice;

events {
    worker_connections 512;
}

http {
    access_log off;
    client_body_temp_path $(quote "$run/tmp/body");
    proxy_temp_path $(quote "$run/tmp/proxy");
    fastcgi_temp_path $(quote "$run/tmp/fastcgi");
    uwsgi_temp_path $(quote "$run/tmp/uwsgi");
    scgi_temp_path $(quote "$run/tmp/scgi");

    cardfeed_index_path $(quote "$run/index");
    cardfeed_collection news $(quote "$content");

    server {
        listen 127.0.0.1:$port;
        server_name localhost;

        location /feeds/ {
            cardfeed news;
        }

        location = / {
            return 302 /feeds/;
        }
    }
}
EOF

# --- a busy port: said plainly, before nginx tries five times

have_perl=
perl -MIO::Socket::INET -e 1 2>/dev/null && have_perl=1

if [ -n "$have_perl" ]; then
    reason=$(perl -MIO::Socket::INET -e '
        IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0],
            Proto => "tcp", Listen => 1, ReuseAddr => 1) or print $!
        ' "$port")
    [ -z "$reason" ] ||
        die "port $port on 127.0.0.1: $reason; try \"make run PORT=n\""
fi

# --- the URLs, once there is something behind them

announce() {
    perl -MIO::Socket::INET - "$port" "$1" <<'EOF'
use strict;
use warnings;

my ($port, $nginx) = @ARGV;
my $base = "http://127.0.0.1:$port/feeds/";
my ($feed, %count, %name) = ('');

sub get {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
        Timeout => 2) or return '';
    print $s "GET $_[0] HTTP/1.0\r\nHost: localhost\r\n\r\n";
    local $/;
    return <$s> // '';
}

while ($feed !~ m{^HTTP/1\.\d 200}) {
    kill 0, $nginx or exit;
    $feed = get('/feeds/all.atom');
    select(undef, undef, undef, 0.05);
}

while ($feed =~ /<category\b([^>]*)>/g) {
    my ($term, $label) = map { $1 =~ /\b$_="([^"]*)"/ } qw(term label);
    next if !defined $term;
    $count{$term}++;
    $name{$term} //= $label // $term;
}

for (values %name) {
    s/&lt;/</g;
    s/&gt;/>/g;
    s/&quot;/"/g;
    s/&amp;/&/g;
}

my @slugs = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
splice @slugs, 6;

my $text = "\nAll topics (Ctrl-C stops the server):\n  ${base}\n\nFeeds:\n";
$text .= "  ${base}all.$_\n" for qw(rss atom json);
for my $slug (@slugs) {
    (my $url = $slug) =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    $text .= "  $base$url.atom   $name{$slug}\n";
}
$text .= "  ${base}TOPIC.rss, .atom, .json and .html for any other topic\n\n";
syswrite STDOUT, $text;
EOF
}

say "serving $content"

# exec keeps the process id: signals to this script are signals to nginx,
# which ends with status 0 on INT and TERM.
if [ -n "$have_perl" ]; then
    # Twice removed, or nginx would take it for a child of its own.
    (announce $$ &)
else
    printf '\n  http://127.0.0.1:%s/feeds/\n' "$port"
    printf '  http://127.0.0.1:%s/feeds/all.rss (or .atom, .json)\n\n' "$port"
fi

exec "$nginx" -e stderr -p "$run/" -c "$run/nginx.conf"
