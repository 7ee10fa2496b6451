# An index on a file system that is full, or cannot be written to: what there
# is is served, it is told and tried again, and all is right when it can be.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;

# In a mount namespace of its own: nothing of it is seen outside.
if (!$ENV{CARDFEED_T_MOUNTS}) {
    my $dir = File::Temp->newdir;
    plan skip_all => 'file systems cannot be mounted here'
        if $> || system("unshare -m mount -t tmpfs tmpfs '$dir' 2>/dev/null");
    undef $dir;
    $ENV{CARDFEED_T_MOUNTS} = 1;
    exec 'unshare', '-m', $^X, $0;
}

require Cardfeed::Test;
Cardfeed::Test->import;

my $t = Cardfeed::Test->new;
my $index = $t->dir . '/index';
mkdir $index or die $!;

my ($n, @titles) = (0);

# A card of about a kilobyte in the index.
sub card {
    $n++;
    $t->card("c$n.md", {title => "c$n", topics => ['Full'],
        date => rfc3339(1_600_000_000 + $n), excerpt => 'x' x 800,
        webUrl => "https://example.org/$n"});
    unshift @titles, "c$n";
}

sub mounted {
    my (@options) = @_;
    is system('mount', @options), 0, "mount @options";
}

# All there is, so that nothing more can be written.
sub fill {
    open my $fh, '>:raw', "$index/ballast" or die $!;
    $fh->autoflush(1);
    for my $size (65536, 4096) {
        1 while defined syswrite $fh, 'x' x $size;
    }
    close $fh;
}

sub unfill { unlink "$index/ballast" or die $! }

sub told {
    my ($what, $mark, $why) = @_;
    $t->wait_log(qr/\[error\].*"news": .*$why/, "$what: told", $mark);
    ok scalar($t->log_lines(qr/\[error\].*"news": .*$why/, $mark)),
        "$what: told";
}

END { umount() if $ENV{CARDFEED_T_MOUNTS} && defined $index }
sub umount { local $?; system "umount '$index' 2>/dev/null" }

my $NO_SPACE = qr/no space left on device/i;

# --- no space for a first index

mounted(qw(-t tmpfs -o size=96k tmpfs), $index);
card() for 1 .. 200;
$t->start(ready => 0);
told('no space for an index', 0, $NO_SPACE);
is $t->get('/feeds/all.rss')->status, 503, 'no space for an index: 503';
mounted('-o', 'remount,size=4m', $index);
$t->wait_titles('all', "@titles", 'space comes: an index', 20);

# --- no space for more while it runs

fill();
my $mark = $t->mark;
my $before = "@titles";
card() for 1 .. 100;
told('no more space', $mark, $NO_SPACE);
is $t->titles('all'), $before, 'no more space: what there is is served';

# a restart meets the same
is $t->stop, 0, 'no more space: stopped';
$t->start(ready => 0);
is $t->titles('all'), $before, 'no more space: served at once by a restart';
$t->reload;
is $t->titles('all'), $before, 'no more space: and after a reload';
unfill();
$t->wait_titles('all', "@titles", 'space again: all is there', 20);

# --- a file system that cannot be written to

is $t->stop, 0, 'stopped';
card();
mounted('-o', 'remount,ro', $index);
$mark = $t->mark;
$t->start(ready => 0);
told('read-only', $mark, qr/Read-only file system/);
is $t->get('/feeds/all.rss')->status, 503, 'read-only: 503';
mounted('-o', 'remount,rw', $index);
$t->wait_titles('all', "@titles", 'writable: all is there', 20);
card();
$t->wait_titles('all', "@titles", 'writable: and kept up');

# --- nothing can be made any more, only written: a new index is wanted

is $t->stop, 0, 'stopped';
$t->start;
fill();
$mark = $t->mark;
$t->{collection} = 'exclude=none';
$t->reload;
told('no space for another index', $mark, $NO_SPACE);
is $t->titles('all'), "@titles",
    'no space for another index: the one there is serves';
unfill();
$t->wait_log(qr/"news" is ready/, 'space for another index', $mark, 20);
$t->wait_titles('all', "@titles", 'space for another index: all is there');

is $t->stop, 0, 'stopped';
umount();
$t->finish;
