package Cardfeed::Test;

# A real nginx with a collection of its own, for one test.
#
# Everything lives in a temporary directory:
#   content/  the cards        index/  the module's        error.log
#   site/     pages of the site, see site()
# and on a loopback port of its own, so that several tests run at once.
#
# Who the workers are: as root nginx would run them as "nobody", who cannot
# enter the temporary directory, so they run as root as well, unless the test
# asks for user => 'www-data' (then the directory is opened to everybody).
# As any other user they are that user.
#
# Environment:
#   CARDFEED_NGINX   the binary (default: nginx, also in /usr/sbin)
#   CARDFEED_MODULE  the module (default: build/ngx_http_cardfeed_module.so),
#                    or "static" when the binary has it built in
#   CARDFEED_CORPUS  real cards (default: ../shared/corpus/powerapps)
#
# finish() stops nginx and fails the test for what must never be in an error
# log: see @FORBIDDEN.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Cardfeed::Response;

our @EXPORT = qw(wait_for http_date rfc3339 slurp);

my @FORBIDDEN = (
    qr/\[(?:alert|emerg|crit)\]/, qr/exited on signal/,
    qr/AddressSanitizer|LeakSanitizer/, qr/runtime error:/,
);

my $ROOT = Cwd::abs_path(dirname(__FILE__) . '/../../..');
my $JSON = JSON::PP->new->allow_nonref->canonical;

# --- small helpers ---------------------------------------------------------

# Polls a condition; its true value, or a failed test and an empty list.
sub wait_for {
    my ($condition, $what, $timeout) = @_;

    my $end = time + ($timeout // 10);
    while (1) {
        my $value = $condition->();
        return $value if $value;
        last if time > $end;
        sleep 0.003;
    }

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    fail "waited in vain: $what";
    return undef;
}

sub slurp {
    my ($path) = @_;

    open my $fh, '<:raw', $path or return '';
    local $/;
    return scalar(<$fh>) // '';
}

sub rfc3339 { POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }

# "Sun, 06 Nov 1994 08:49:37 GMT" in seconds, or undef.
sub http_date {
    my ($text) = @_;

    my %month;
    @month{qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec)} = 0 .. 11;
    my ($d, $m, $y, $H, $M, $S) = ($text // '')
        =~ /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
        or return;
    require Time::Local;
    return Time::Local::timegm($S, $M, $H, $d, $month{$m}, $y);
}

# --- a test's site ---------------------------------------------------------

# collection  parameters of cardfeed_collection, as text
# content     another directory of cards
# http, server, location   further configuration at these places; {{DIR}} and
#             {{PORT}} in it are the directory and the port
# main        the same, at the top
# no_feeds, no_collection   leave "location /feeds/", the collection out
# absent      do not make the directory of cards
# listen      parameters of listen, as text
# server_name localhost
# workers     2; 0 means "master_process off"
# daemon      in the background, no child of the test
# user        see above
# allow       [regex, …] of lines that finish() accepts
sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        workers => 2, collection => '', http => '', server => '',
        location => '', main => '', listen => '', allow => [],
        server_name => 'localhost', owner => $$, %opt,
    }, $class;

    $self->{tmp} = File::Temp->newdir('cardfeed-t-XXXXXX', TMPDIR => 1);
    $self->{dir} = Cwd::abs_path("$self->{tmp}");
    $self->{content} //= "$self->{dir}/content";
    $self->{user} //= 'root' if $> == 0;
    chmod 0755, $self->{dir} or die $! if ($self->{user} // '') ne 'root';
    make_path(map { "$self->{dir}/$_" }
        qw(tmp/body tmp/proxy tmp/fastcgi tmp/uwsgi tmp/scgi));
    mkdir $self->{content} unless $opt{absent};

    $self->{nginx} = $ENV{CARDFEED_NGINX} || _nginx();
    $self->{module} = $ENV{CARDFEED_MODULE}
        || "$ROOT/build/ngx_http_cardfeed_module.so";
    if ($self->{module} ne 'static') {
        -f $self->{module} or BAIL_OUT 'no module; "make build" makes it';
        $self->{module} = Cwd::abs_path($self->{module});
    }
    $self->{port} = _free_port();
    return $self;
}

sub dir { $_[0]{dir} }
sub content { $_[0]{content} }
sub port { $_[0]{port} }
sub root { $ROOT }

# Real cards, or undef.
sub corpus {
    my $dir = $ENV{CARDFEED_CORPUS} || "$ROOT/../shared/corpus/powerapps";
    return -d $dir ? $dir : undef;
}

sub base { "http://localhost:$_[0]{port}" }

# Whether a worker has accepted the connection and read all that was sent: the
# kernel's table has it with an owner and an empty queue.
sub has_read {
    my ($self, $socket) = @_;

    my $row = sprintf ':%04X [0-9A-F]+:%04X 01 [0-9A-F]+:0{8} ',
        $self->{port}, $socket->sockport;
    my ($found) = grep { /$row/ } split /\n/, slurp('/proc/net/tcp');
    return $found && (split ' ', $found)[9] != 0;
}

sub _nginx {
    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/local/sbin') {
        return "$dir/nginx" if -x "$dir/nginx";
    }
    BAIL_OUT 'no nginx; "make deps" installs it';
}

# Below the ports the system hands out; the process id keeps tests apart.
sub _free_port {
    my $port = 10_000 + $$ * 7 % 20_000;

    for (1 .. 200) {
        $port = $port < 31_000 ? $port + 1 : 10_000;
        my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1);
        return $port if $socket;
    }
    BAIL_OUT 'no free port';
}

# --- cards -----------------------------------------------------------------

sub _value {
    my ($value) = @_;

    return $value if !ref $value && $value =~ /^[A-Za-z0-9_:.+-]+$/;
    return $JSON->encode($value);
}

# The text of a card, keys in order of their names; undef leaves one out.
sub card_text {
    my ($self, $matter, $body) = @_;

    my $text = join '', "---\n",
        (map { "$_: " . _value($matter->{$_}) . "\n" }
            grep { defined $matter->{$_} } sort keys %$matter),
        "---\n", $body // '';
    utf8::encode($text) if utf8::is_utf8($text);
    return $text;
}

# Bytes into a file that appears whole, as editors and git do it.
sub file {
    my ($self, $path, $bytes) = @_;

    my $full = "$self->{content}/$path";
    my $dir = dirname $full;
    make_path($dir);
    my $new = "$self->{dir}/new-$$-" . ++$self->{count};
    _write($new, $bytes);
    rename $new, $full or die "$full: $!";
    return $full;
}

sub card {
    my ($self, $path, $matter, $body) = @_;
    return $self->file($path, $self->card_text($matter, $body));
}

# The same, written in place.
sub card_in_place {
    my ($self, $path, $matter, $body) = @_;
    return $self->file_in_place($path, $self->card_text($matter, $body));
}

sub file_in_place {
    my ($self, $path, $bytes) = @_;

    _write("$self->{content}/$path", $bytes);
    return "$self->{content}/$path";
}

# A file of the site beside the feeds.
sub site {
    my ($self, $path, $bytes) = @_;

    my $full = "$self->{dir}/site/$path";
    make_path(dirname $full);
    _write($full, $bytes);
    return $full;
}

sub remove {
    my ($self, $path) = @_;

    my $full = "$self->{content}/$path";
    -d $full && !-l $full ? remove_tree($full) : unlink $full
        or die "$full: $!";
}

sub _write {
    my ($path, $bytes) = @_;

    open my $fh, '>:raw', $path or die "$path: $!";
    print {$fh} $bytes or die "$path: $!";
    close $fh or die "$path: $!";
}

# --- configuration ---------------------------------------------------------

sub conf {
    my ($self) = @_;

    my $d = $self->{dir};
    my $load = $self->{module} eq 'static'
        ? '' : "load_module \"$self->{module}\";";
    my $user = $> == 0 ? "user $self->{user};" : '';
    my $processes = $self->{workers}
        ? "worker_processes $self->{workers};" : 'master_process off;';
    my $daemon = $self->{daemon} ? 'on' : 'off';
    my $temp = join '', map { "    ${_}_temp_path $d/tmp/$_;\n" }
        grep { !$self->{without}{$_} } qw(proxy fastcgi uwsgi scgi);
    my $feeds = $self->{no_feeds} ? ''
        : "location /feeds/ {\n cardfeed news;\n $self->{location}\n }";
    my $collection = $self->{no_collection} ? ''
        : "cardfeed_collection news \"$self->{content}\" $self->{collection};";

    my $conf = <<"CONF";
$load
$user
$processes
daemon $daemon;
error_log $d/error.log info;
pid $d/nginx.pid;
$self->{main}

events {
    worker_connections 256;
}

http {
    access_log off;
    client_body_temp_path $d/tmp/body;
$temp
    cardfeed_index_path "$d/index";
    $collection
    $self->{http}

    server {
        listen 127.0.0.1:$self->{port} $self->{listen};
        server_name $self->{server_name};
        add_header X-Worker \$pid always;
        $self->{server}
        $feeds
    }
}
CONF
    $conf =~ s/\{\{DIR\}\}/$d/g;
    $conf =~ s/\{\{PORT\}\}/$self->{port}/g;
    return $conf;
}

# What "nginx -V" says.
sub version {
    my ($self) = @_;
    return $self->{version} //= `"$self->{nginx}" -V 2>&1`;
}

# Whether nginx has an http module ("v2", "addition") compiled in; those that
# have to be asked for, and those that have to be refused.
sub has {
    my ($self, $name) = @_;

    return $self->version =~ /--with-http_${name}_module(?!=)/
        if $name =~ /^(?:addition|auth_request|dav|realip|ssl|sub|v2)$/;
    return $self->version !~ /--without-http_${name}_module/;
}

sub _prepare {
    my ($self) = @_;

    $self->{without} //= { map { $_ => !$self->has($_) }
        qw(proxy fastcgi uwsgi scgi) };
    # Whole: a reload that was asked for before may be reading it.
    _write("$self->{dir}/nginx.conf.new", $self->conf);
    rename "$self->{dir}/nginx.conf.new", "$self->{dir}/nginx.conf" or die $!;
}

sub _command {
    my ($self, @more) = @_;
    return ($self->{nginx}, '-e', "$self->{dir}/error.log",
        '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf", @more);
}

# nginx -t: (status, everything it said).
sub check {
    my ($self) = @_;

    $self->_prepare;
    my $pid = open(my $out, '-|') // die $!;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec $self->_command('-t') or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($? >> 8, $text);
}

# --- processes -------------------------------------------------------------

# A process that ends nginx when this one is no more, however it went: then
# its end of a pipe is closed.  A byte is said to it where all went well.
sub _guard {
    my ($self) = @_;

    pipe my $gone, $self->{here} or die $!;
    defined($self->{guard} = fork) or die $!;
    return if $self->{guard};

    # nobody is to wait for this one: not prove for the end of what it says,
    # nor another such process for its own pipe
    POSIX::setsid();
    my $pipe = fileno $gone;
    for my $fd (map { m{/(\d+)$} } glob '/proc/self/fd/*') {
        POSIX::close($fd) if $fd != $pipe;
    }
    my $read = sysread $gone, my $byte, 1;
    if (!$read) {
        my $end = time + 10;
        while (my @pids = $self->_with_log) {
            kill 'KILL', @pids;
            last if time > $end;
            sleep 0.01;
        }
        remove_tree($self->{dir});
    }
    POSIX::_exit(0);
}

# All that has the error log open: masters, their workers, whoever started
# them.
sub _with_log {
    my ($self) = @_;

    my %pids;
    for my $fd (glob '/proc/[0-9]*/fd/*') {
        (readlink $fd // '') eq "$self->{dir}/error.log" or next;
        $pids{$1} = 1 if $fd =~ m{^/proc/(\d+)/};
    }
    delete $pids{$$};
    return keys %pids;
}

# ready => 0: do not wait for the first answer.
sub start {
    my ($self, %opt) = @_;

    die 'already running' if $self->{pid};
    $self->_guard if !$self->{guard};
    for my $try (1 .. 5) {
        $self->_prepare;
        my $mark = $self->mark;
        defined($self->{pid} = fork) or die $!;
        if (!$self->{pid}) {
            open STDOUT, '>>', "$self->{dir}/error.log";
            open STDERR, '>&', \*STDOUT;
            exec $self->_command or POSIX::_exit(127);
        }

        my $up = sub {
            my $gone = waitpid($self->{pid}, POSIX::WNOHANG) > 0;
            return 'gone' if $gone && !($self->{daemon} && $? == 0);
            my ($pid) = slurp("$self->{dir}/nginx.pid") =~ /^(\d+)\n/
                or return '';
            $self->{pid} = $pid if $gone;
            return $self->{pid} == $pid && _connect($self->{port})
                ? 'up' : '';
        };
        my $state = wait_for($up, 'nginx is up') // 'stuck';
        last if $state eq 'up';

        my $log = $self->log($mark);
        undef $self->{pid} if $state eq 'gone';
        if ($log =~ /bind\(\) to .* failed .*in use/ && $try < 5) {
            push @{$self->{allow}}, qr/bind\(\) to/,
                qr/still could not bind/;
            $self->{port} = _free_port();
            next;
        }
        diag $log;
        BAIL_OUT "nginx does not start";
    }

    $self->ready if $opt{ready} // 1;
    return $self;
}

# Until the first scan is done.
sub ready {
    my ($self) = @_;
    wait_for(sub { $self->get('/feeds/all.rss')->status != 503 },
        'the first scan is done', 30) if !$self->{no_feeds};
}

# TERM or QUIT, and its exit status.
sub stop {
    my ($self, $signal) = @_;

    my $pid = delete $self->{pid} or return;
    kill $signal // 'TERM', $pid;
    my $end = time + 15;
    while (1) {
        return $? if waitpid($pid, POSIX::WNOHANG) == $pid;
        return 0 if $self->{daemon} && !$self->alive($pid);
        if (time > $end) {
            fail 'nginx stops within 15 seconds';
            kill 'KILL', $self->_children($pid), $pid;
            waitpid $pid, 0;
            return -1;
        }
        sleep 0.003;
    }
}

sub restart {
    my ($self, %opt) = @_;

    is $self->stop, 0, 'nginx stops with status 0';
    return $self->start(%opt);
}

# HUP; returns once new workers answer, and only they: an old one may live on
# for a client that it has.
sub reload {
    my ($self, %opt) = @_;

    my %old = map { $_ => 1 } $self->workers;
    $self->_prepare;
    kill 'HUP', $self->{pid};
    return if !($opt{wait} // 1);
    wait_for(sub {
        my @new = grep { !$old{$_} } $self->workers;
        my $res = @new >= $self->{workers}
            && $self->get('/feeds/all.rss?limit=1');
        return $res && !$old{$res->header('X-Worker') // 0};
    }, 'new workers answer');
    wait_for(sub {
        !grep { $old{$_} && slurp("/proc/$_/cmdline") !~ /is shutting down/ }
            $self->workers;
    }, 'old workers accept no more');
}

sub _children {
    my ($self, $parent) = @_;

    my @pids;
    for my $stat (glob '/proc/[0-9]*/stat') {
        slurp($stat) =~ /^(\d+) \(.*\) (\S) (\d+) /s or next;
        push @pids, $1 if $3 == $parent && $2 ne 'Z';
    }
    @pids = sort { $a <=> $b } @pids;
    return @pids;
}

# Whether a process runs, ours or not.
sub alive {
    my ($self, $pid) = @_;
    return slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) [^ZX] /s;
}

# Process ids of the workers, those that shut down included.
sub workers { $_[0]->_children($_[0]{pid}) }
sub pid { $_[0]{pid} }

# --- the log ---------------------------------------------------------------

sub mark { -s "$_[0]{dir}/error.log" // 0 }

# What was logged, since a mark.
sub log {
    my ($self, $mark) = @_;
    return substr slurp("$self->{dir}/error.log"), $mark // 0;
}

sub log_lines {
    my ($self, $regex, $mark) = @_;
    return grep { $_ =~ $regex } split /\n/, $self->log($mark);
}

sub wait_log {
    my ($self, $regex, $what, $mark, $timeout) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return wait_for(sub { ($self->log_lines($regex, $mark))[0] },
        "log: $what", $timeout);
}

sub allow { my $self = shift; push @{$self->{allow}}, @_ }

# --- requests --------------------------------------------------------------

sub _connect {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
        Proto => 'tcp', Timeout => 5);
}

sub connection { _connect($_[0]{port}) }

# Sends bytes, reads until nginx closes.
sub raw {
    my ($self, $bytes) = @_;

    my $socket;
    for (1 .. 100) {
        $socket = _connect($self->{port}) and last;
        sleep 0.02;
    }
    return Cardfeed::Response->new('') if !$socket;
    local $SIG{PIPE} = 'IGNORE';
    $socket->syswrite($bytes);
    my ($select, $all) = (IO::Select->new($socket), '');
    while ($select->can_read(15)) {
        $socket->sysread($all, 65_536, length $all) or last;
    }
    return Cardfeed::Response->new($all);
}

sub request {
    my ($self, $method, $uri, %header) = @_;

    $header{Host} //= "localhost:$self->{port}";
    my $head = join '', map { "$_: $header{$_}\r\n" } sort keys %header;
    return $self->raw("$method $uri HTTP/1.1\r\n${head}"
        . "Connection: close\r\n\r\n");
}

sub get { my $self = shift; $self->request('GET', @_) }
sub head { my $self = shift; $self->request('HEAD', @_) }

# Titles of a feed's entries, in order, as one string; "(404)" and the like
# where it is none.  Without the XML parser, for polling.
sub titles {
    my ($self, $sel) = @_;

    my $res = $self->get("/feeds/$sel.rss?limit=500");
    return '(' . $res->status . ')' if $res->status != 200;
    return join ' ', $res->body =~ m{<item>\s*<title>([^<]*)</title>}g;
}

sub wait_titles {
    my ($self, $sel, $want, $what, $timeout) = @_;

    my $have = '';
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $ok = wait_for(sub {
        my $got = $have = $self->titles($sel);
        return ref $want ? $got =~ $want : $got eq $want;
    }, $what, $timeout);
    if ($ok) {
        pass $what;
    } else {
        diag "last seen: $have";
    }
    return $ok;
}

# --- the end ---------------------------------------------------------------

sub finish {
    my ($self) = @_;

    my $status = $self->{pid} ? $self->stop : 0;
    is $status, 0, 'nginx ended with status 0';

    my @bad;
    LINE: for my $line (split /\n/, $self->log) {
        grep { $line =~ $_ } @FORBIDDEN or next;
        $line =~ $_ and next LINE for @{$self->{allow}};
        push @bad, $line;
    }
    ok !@bad, 'nothing alarming in the error log'
        or diag join "\n", @bad[0 .. ($#bad > 20 ? 20 : $#bad)];
    diag "error log:\n", substr($self->log, -4000)
        if !Test::More->builder->is_passing;
    done_testing;
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!, $@);
    return if $self->{owner} != $$;
    if ($self->{pid}) {
        kill 'KILL', $self->_children($self->{pid}), $self->{pid};
        waitpid $self->{pid}, 0;
    }
    if ($self->{guard}) {
        local $SIG{PIPE} = 'IGNORE';
        syswrite $self->{here}, '.';
        waitpid $self->{guard}, 0;
    }
}

1;
