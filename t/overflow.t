# More changes at once than the kernel keeps for us: what was lost is found.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my ($limit) = slurp('/proc/sys/fs/inotify/max_queued_events') =~ /^(\d+)$/;
plan skip_all => 'no inotify here' if !$limit;
plan skip_all => "a queue of $limit events is too long to be filled"
    if $limit > 200_000;

my $t = Cardfeed::Test->new(workers => 1);
my $content = $t->content;

sub card {
    my ($path, $date, @topics) = @_;
    $t->card("$path.md", {title => $path =~ s{.*/}{}r, date => $date,
        topics => \@topics});
}

card('keep', '2021-01-01', 'A');
card('edited', '2021-01-02', 'A');
card('gone', '2021-01-03', 'A');
card('dir/in', '2021-01-04', 'A');
card('left/out', '2021-01-05', 'A');
$t->start;
$t->wait_titles('a', 'out in gone edited keep', 'what was there');
my ($worker) = $t->workers;

# While the worker stands still, its queue is filled; two files by turns,
# since an event that repeats the last one is not kept.
my @noise = map { $t->file("noise-$_.md", "no card\n") } 1, 2;

sub storm {
    my ($do) = @_;

    kill 'STOP', $worker;
    wait_for(sub { slurp("/proc/$worker/stat") =~ /\) T / }, 'it stands');
    for (1 .. $limit / 2 + 100) {
        utime undef, undef, $_ or die $! for @noise;
    }
    $do->();
    my $mark = $t->mark;
    kill 'CONT', $worker;
    return $mark;
}

my $mark = storm(sub {
    card('edited', '2021-02-01', 'B');
    $t->remove('gone.md');
    card('new/deep/er', '2021-02-02', 'B');
    rename "$content/dir", "$content/moved" or die $!;
    rename "$content/left", $t->dir . '/left' or die $!;
});
$t->wait_titles('b', 'er edited', 'what came is there');
$t->wait_titles('a', 'in keep', 'what went has left');
ok scalar($t->log_lines(qr/\[notice\].*events were lost/, $mark)),
    'the log says why everything was looked at';
$t->wait_log(qr/is reconciled: 4 cards in feeds/, 'and when that was done',
    $mark);

# Directories that only the walk has met are watched as well.
card('new/deep/est', '2021-02-03', 'B');
card('moved/too', '2021-02-04', 'B');
$t->wait_titles('b', 'too est er edited', 'events go on');

# The root may have been replaced while nobody heard of it.
mkdir "$content.next" or die $!;
$mark = storm(sub {
    rename $content, "$content.old" or die $!;
    rename "$content.next", $content or die $!;
    card('other', '2021-03-01', 'C');
});
$t->wait_titles('all', 'other', 'another root');
card('another', '2021-03-02', 'C');
$t->wait_titles('all', 'another other', 'and watched');

is_deeply [$t->log_lines(qr/\[(?:warn|error)\]/)], [], 'nothing went wrong';

$t->finish;
