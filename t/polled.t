# Where a file system does not tell of changes made elsewhere, watch=auto looks
# by itself: for the whole tree, or for a part of it that is mounted there.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Test::More;
use Cardfeed::Fuse;
use Cardfeed::Mounts;
use Cardfeed::Test;

own_mounts();

my $remote;
sub remote {
    my ($n, $path) = @_;

    local $remote->{content} = $remote->dir . '/remote';
    return $remote->card("$path.md", {title => $path =~ s{.*/}{}r,
        date => "2021-01-0$n", topics => ['R']});
}

sub looking {
    my $why = "$_[0] does not tell of changes made elsewhere";
    return qr/\[warn\].*"news": $why; looking every 100 ms/;
}

# A site whose "elsewhere" is in the same temporary directory.
sub site {
    my ($collection) = @_;

    my $t = $remote = Cardfeed::Test->new(workers => 1,
        collection => $collection);
    make_path($t->dir . '/remote/sub');
    remote(1, 'one');
    remote(2, 'sub/two');
    return $t;
}

sub changes {
    my ($t, $what) = @_;

    remote(3, 'sub/three');
    $t->wait_titles('r', 'three two one', "$what: a card comes", 30);
    unlink $t->dir . '/remote/sub/two.md' or die $!;
    $t->wait_titles('r', 'three one', "$what: one goes", 30);
    rename $t->dir . '/remote/sub', $t->dir . '/remote/dir' or die $!;
    remote(4, 'dir/four');
    $t->wait_titles('r', 'four three one', "$what: a directory moves", 30);
}

# --- the whole tree

my $t = site('poll=100ms');
my $fuse = Cardfeed::Fuse->new($t->dir . '/remote', $t->content)
    // plan skip_all => 'no FUSE here';
$t->start;
$t->wait_titles('r', 'two one', 'FUSE: its cards');
$t->wait_log(looking('FUSE'), 'FUSE: why it looks');
changes($t, 'FUSE');
is $t->stop, 0, 'nginx ended with status 0';
$fuse->unmount;

# --- a tree that takes long to look at: what that took, it is left alone ten
# times as long

$t = site('poll=100ms');
my $log = $t->dir . '/looks';
$fuse = Cardfeed::Fuse->new($t->dir . '/remote', $t->content, slow => 0.03,
    log => $log);
$t->start;
$t->wait_titles('r', 'two one', 'a slow FUSE: its cards');
wait_for(sub { 5 < (() = slurp($log) =~ /\n/g) }, 'it is looked at', 30);
my @looks = map { [split] } split /\n/, slurp($log);
for my $n (1 .. $#looks) {
    my ($took, $pause) = ($looks[$n - 1][1] - $looks[$n - 1][0],
        $looks[$n][0] - $looks[$n - 1][1]);
    # but for what is lost by counting whole milliseconds
    cmp_ok $pause, '>=', 10 * ($took - 0.002), "the pause before look $n";
}
is $t->stop, 0, 'nginx ended with status 0';
$fuse->unmount;

# --- a directory of the tree

$t = site('poll=100ms');
$t->card('local.md', {title => 'local', date => '2020-01-01',
    topics => ['L']});
make_path($t->content . '/in/far');
$fuse = Cardfeed::Fuse->new($t->dir . '/remote', $t->content . '/in/far');
$t->start;
$t->wait_titles('r', 'two one', 'a FUSE within: its cards');
$t->wait_log(looking('FUSE'), 'a FUSE within: why it looks');
changes($t, 'a FUSE within');
is $t->stop, 0, 'nginx ended with status 0';
$fuse->unmount;

# --- one that comes later

$t = site('poll=100ms');
make_path($t->content . '/far');
$t->start;
$t->wait_titles('all', '', 'nothing yet');
is scalar($t->log_lines(qr/looking every/)), 0, 'and nothing to look for';
$fuse = Cardfeed::Fuse->new($t->dir . '/remote', $t->content . '/far');
$t->wait_titles('r', 'two one', 'a FUSE that is mounted later');
$t->wait_log(looking('FUSE'), 'a FUSE later: why it looks');
changes($t, 'a FUSE later');
$t->stop;
$fuse->unmount;

# --- as it is told to

$t = site('watch=inotify poll=100ms');
$fuse = Cardfeed::Fuse->new($t->dir . '/remote', $t->content);
$t->start;
$t->wait_titles('r', 'two one', 'watch=inotify: its cards');
is scalar($t->log_lines(qr/looking every/)), 0, 'watch=inotify is obeyed';
$t->stop;
$fuse->unmount;

$t->finish;
