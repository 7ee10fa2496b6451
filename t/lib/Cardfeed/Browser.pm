package Cardfeed::Browser;

# A headless Chromium, through chromedriver: WebDriver over loopback HTTP.
#
# It reaches this machine only: every other name is unknown to it at once, so
# that no page waits for a network.  Its files are in a temporary directory;
# it and its driver end with the object.  A command that fails dies.
#
# Environment:
#   CARDFEED_SCREENSHOTS  a directory in which screenshot() leaves PNG files

use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny ();
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my $ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
my $SECONDS = 20;

my @FLAGS = qw(--headless=new --no-sandbox --disable-gpu --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --disable-quic --disable-dev-shm-usage --disable-breakpad
    --disable-extensions --hide-scrollbars --force-color-profile=srgb);
push @FLAGS, '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, '
    . 'EXCLUDE 127.0.0.1';

sub _program {
    my (@names) = @_;

    for my $name (@names) {
        for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/lib/chromium') {
            return "$dir/$name" if -x "$dir/$name" && !-d _;
        }
    }
    return;
}

# A browser with an empty page, or undef where there is none.
sub new {
    my ($class) = @_;

    my $driver = _program('chromedriver') // return;
    my $chromium = _program('chromium', 'chromium-browser') // return;
    my $self = bless {
        owner => $$,
        tmp => File::Temp->newdir('cardfeed-b-XXXXXX', TMPDIR => 1),
        http => HTTP::Tiny->new(timeout => 3 * $SECONDS, proxy => undef,
            http_proxy => undef, https_proxy => undef),
    }, $class;
    $self->_start($driver);

    my $made = $self->_command(POST => '/session', {capabilities => {
        alwaysMatch => {
            browserName => 'chrome',
            timeouts => {pageLoad => $SECONDS * 1000,
                script => $SECONDS * 1000},
            'goog:loggingPrefs' => {browser => 'ALL'},
            'goog:chromeOptions' => {
                binary => $chromium,
                args => [@FLAGS, "--user-data-dir=$self->{tmp}/profile"],
            },
        },
    }});
    $self->{session} = "/session/$made->{sessionId}";
    return $self;
}

# chromedriver chooses its port and says which.  It and the browser are a
# process group, led by a process that ends all of them when it is told a byte
# through a pipe, or this one is no more.
sub _start {
    my ($self, $driver) = @_;

    my $log = "$self->{tmp}/driver.log";
    pipe my $gone, $self->{here} or die $!;
    defined($self->{pid} = fork) or die $!;
    if (!$self->{pid}) {
        CORE::close $self->{here};
        POSIX::setpgid(0, 0);
        local $SIG{TERM} = 'IGNORE';
        _drive($driver, $log, "$self->{tmp}") if !(fork // 1);
        sysread $gone, my $nothing, 1;
        kill 'TERM', -$$;
        my $end = time + 5;
        sleep 0.01 while waitpid(-1, POSIX::WNOHANG) == 0 && time < $end;
        kill 'KILL', -$$;
        POSIX::_exit(1);
    }

    my $end = time + $SECONDS;
    while (time < $end) {
        if (open my $fh, '<', $log) {
            local $/;
            if ((<$fh> // '') =~ /started successfully on port (\d+)/) {
                $self->{url} = "http://127.0.0.1:$1";
                return;
            }
        }
        sleep 0.01;
    }
    die "chromedriver does not start\n";
}

sub _drive {
    my ($driver, $log, $home) = @_;

    $SIG{TERM} = 'DEFAULT';
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $log;
    open STDERR, '>&', \*STDOUT;
    @ENV{qw(HOME TMPDIR XDG_CONFIG_HOME XDG_CACHE_HOME)} = ($home) x 4;
    exec $driver, '--port=0' or POSIX::_exit(127);
}

sub _command {
    my ($self, $method, $path, $body) = @_;

    my $res = $self->{http}->request($method, $self->{url} . $path, {
        headers => {'Content-Type' => 'application/json; charset=utf-8'},
        $method eq 'POST' ? (content => $JSON->encode($body // {})) : (),
    });
    my $value = eval { $JSON->decode($res->{content})->{value} };
    return $value if $res->{success};
    my $why = ref $value ? "$value->{error}: $value->{message}"
        : $res->{content};
    die "$method $path: ", $why =~ s/\n.*//sr, "\n";
}

sub _in_session {
    my ($self, $method, $path, $body) = @_;
    return $self->_command($method, $self->{session} . $path, $body);
}

# --- pages -------------------------------------------------------------------

# Returns once the page and what it needs at once are loaded.
sub go { $_[0]->_in_session(POST => '/url', {url => $_[1]}); return }

sub url { $_[0]->_in_session(GET => '/url') }

# What a function's body returns; a page's policy does not apply to it.
sub js {
    my ($self, $script, @args) = @_;
    return $self->_in_session(POST => '/execute/sync',
        {script => $script, args => \@args});
}

# A command of the DevTools protocol.
sub cdp {
    my ($self, $command, $params) = @_;
    return $self->_in_session(POST => '/goog/cdp/execute',
        {cmd => $command, params => $params // {}});
}

# A click as a person does it, on the first element that a CSS selector finds
# and that has the text, if one is given.  A link's page is loaded afterwards.
sub click {
    my ($self, $css, $text) = @_;

    my @found = map { $_->{$ELEMENT} } @{$self->_in_session(
        POST => '/elements', {using => 'css selector', value => $css})};
    @found = grep { $self->_in_session(GET => "/element/$_/text") eq $text }
        @found if defined $text;
    @found or die "no $css", defined $text ? " \"$text\"" : '', "\n";
    $self->_in_session(POST => "/element/$found[0]/click");
    return;
}

# A screen of so many pixels, "light" or "dark".
sub screen {
    my ($self, $width, $height, $scheme) = @_;

    $self->cdp('Emulation.setDeviceMetricsOverride', {
        width => $width, height => $height,
        deviceScaleFactor => $width < 600 ? 2 : 1,
        mobile => $width < 600 ? JSON::PP::true : JSON::PP::false,
    });
    $self->cdp('Emulation.setEmulatedMedia', {features => [
        {name => 'prefers-color-scheme', value => $scheme}]});
    return;
}

# Messages of the console since the last time.
sub console {
    my ($self) = @_;
    return map { $_->{message} }
        @{$self->_in_session(POST => '/se/log', {type => 'browser'})};
}

# The screen, and what is below it up to a height, as NAME.png.
sub screenshot {
    my ($self, $name, $height) = @_;

    my $dir = $ENV{CARDFEED_SCREENSHOTS} or return;
    my $size = $self->js('return [innerWidth, Math.max(innerHeight, Math.min('
        . 'arguments[0], document.documentElement.scrollHeight))]',
        $height // 2500);
    my $image = $self->cdp('Page.captureScreenshot', {
        format => 'png', captureBeyondViewport => JSON::PP::true,
        clip => {x => 0, y => 0, scale => 1, width => $size->[0],
            height => $size->[1]},
    });
    open my $fh, '>:raw', "$dir/$name.png" or die "$dir/$name.png: $!";
    print {$fh} decode_base64($image->{data});
    CORE::close $fh or die "$dir/$name.png: $!";
    return;
}

# --- the end -----------------------------------------------------------------

sub close {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;
    local ($?, $!, $@);
    eval { $self->_in_session(DELETE => '') } if $self->{session};
    # Said, not closed: other children of the test have that end as well.
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{here}, '.';
    CORE::close $self->{here};
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    $self->close if $self->{owner} == $$;
}

1;
