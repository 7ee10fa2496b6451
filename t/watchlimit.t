# Without enough inotify watches, or instances, it says which limit to raise,
# looks by itself meanwhile, and is back at events with the next reload.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

# A user namespace has limits of its own.
my $unshare = 'unshare --user --map-root-user';
my $sys = '/proc/sys/user';
plan skip_all => 'no user namespaces, or no limits in them'
    if system("$unshare sh -c 'echo 9 > $sys/max_inotify_watches && "
        . "echo 9 > $sys/max_inotify_instances' 2>/dev/null") != 0;

my $dirs = 20;

# A site in such a namespace, with one limit; and what raises it.
sub site {
    my ($what, $limit) = @_;

    my $t = Cardfeed::Test->new(workers => 1, collection => 'poll=100ms',
        allow => [qr/initgroups\(.*not permitted/]);
    my $nginx = $t->{nginx};
    $t->{nginx} = $t->dir . '/nginx';
    open my $fh, '>', $t->{nginx} or die $!;
    print {$fh} "#!/bin/sh\nexec $unshare sh -c 'echo $limit > "
        . "$sys/max_inotify_$what && exec \"\$0\" \"\$@\"' '$nginx' \"\$@\"\n";
    close $fh or die $!;
    chmod 0755, $t->{nginx} or die $!;
    card($t, "d$_/c$_", sprintf '2021-01-%02d', $_) for 1 .. $dirs;
    return $t;
}

sub card {
    my ($t, $path, $date) = @_;
    $t->card("$path.md", {title => $path =~ s{.*/}{}r, date => $date,
        topics => ['T']});
}

sub raise {
    my ($t, $what, $limit) = @_;
    is system("nsenter --user --preserve-credentials --target @{[$t->pid]} "
        . "sh -c 'echo $limit > $sys/max_inotify_$what'"), 0,
        "$what: raised to $limit";
}

my $all = join ' ', map { "c$_" } reverse 1 .. $dirs;
my $looking = qr/\[warn\].*"news": .*; looking every 100 ms/;

# What changes while it polls.
sub is_polled {
    my ($t, $have, $what) = @_;

    card($t, 'sub/dir/new', '2021-02-01');
    $t->wait_titles('t', "new $have", "$what: a card comes");
    $t->card('sub/dir/new.md',
        {title => 'edited', date => '2021-02-01', topics => ['T']});
    $t->wait_titles('t', "edited $have", "$what: is edited");
    rename $t->content . '/sub', $t->content . '/else' or die $!;
    card($t, 'else/more', '2021-02-02');
    $t->wait_titles('t', "more edited $have", "$what: moves");
    $t->remove('else');
    $t->wait_titles('t', $have, "$what: goes");
}

# --- watches: too few for the tree at the start

my $t = site(watches => 10);
$t->start;
$t->wait_titles('t', $all, 'too few watches: all are there');
my $line = $t->wait_log($looking, 'it is said');
like $line, qr/inotify watch limit reached \(fs\.inotify\.max_user_watches\)/,
    'with the name of the limit';
is_polled($t, $all, 'too few watches');
is scalar(() = $t->log_lines(qr/\[warn\]/)), 1, 'said once';

# The limit is raised: the next reload has events again.  Room for one
# indexer's watches, not for two: the old one lets go of its own first.
raise($t, watches => 40);
for my $n (1 .. 3) {
    my $mark = $t->mark;
    $t->reload;
    $t->wait_log(qr/is reconciled/, "reload $n", $mark);
    is scalar(() = $t->log_lines(qr/\[warn\]/, $mark)), 0,
        "reload $n: by events" or diag $t->log($mark);
}
card($t, 'late', '2021-01-31');
$t->wait_titles('t', "late $all", 'a card after it');

# --- the limit is reached by directories that come later

my $mark = $t->mark;
card($t, "e$_/f", "2021-01-30") for 1 .. 30;
$t->wait_log(qr/$looking/, 'more directories than watches', $mark);
$t->wait_titles('t', join(' ', 'late', ('f') x 30, $all), 'all the same');
$t->remove("e$_") for 1 .. 30;
is_polled($t, "late $all", 'more directories');
is $t->stop, 0, 'nginx ended with status 0';

# --- no instance at all

$t = site(instances => 0);
$t->start;
$line = $t->wait_log($looking, 'no instance');
like $line, qr/inotify instance limit reached \(fs\.inotify\.max_user_instan/,
    'no instance: with the name of the limit';
$t->wait_titles('t', $all, 'no instance: all are there');
is_polled($t, $all, 'no instance');
raise($t, instances => 8);
$mark = $t->mark;
$t->reload;
$t->wait_log(qr/is reconciled/, 'no instance: a reload', $mark);
is scalar(() = $t->log_lines(qr/\[warn\]/, $mark)), 0, 'by events';
$t->reload;
card($t, 'late', '2021-01-31');
$t->wait_titles('t', "late $all", 'no instance: a card after it');

$t->finish;
