# A start with an index: what was committed last is served from the first
# connection on, whatever happened to the directory; the rest follows behind.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl qw(:flock);
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

my $CARDS = 400;

my $t = Cardfeed::Test->new;

sub card {
    my ($number, $title) = @_;
    $t->card(sprintf('d%d/%04d.md', $number % 7, $number), {
        title => $title // "c$number", topics => ['Behind'],
        date => rfc3339(1_600_000_000 + $number),
        webUrl => "https://example.org/$number"});
}

sub titles { join ' ', map { "c$_" } reverse 1 .. $CARDS }

card($_) for 1 .. $CARDS;
settle($t);
$t->start;
my $before = titles();
is $t->titles('all'), $before, 'a site';
my $etag = $t->get('/feeds/behind.rss')->header('ETag');

# --- nobody may index for now: this test holds the lock itself

sub hold {
    open my $lock, '+<', $t->dir . '/index/news/indexer.lock' or die $!;
    flock $lock, LOCK_EX or die $!;
    return $lock;
}

is $t->stop, 0, 'stopped';
my $lock = hold();
card($_, "new$_") for grep { $_ % 4 == 0 } 1 .. $CARDS;
$t->remove(sprintf 'd%d/%04d.md', $_ % 7, $_) for grep { $_ % 8 == 1 }
    1 .. $CARDS;
my @gone = grep { $_ % 8 == 1 } 1 .. $CARDS;
my $mark = $t->mark;
$t->start(ready => 0);

my (%status, %titles, %etag);
for (1 .. 50) {
    my $res = $t->get('/feeds/behind.rss');
    $status{$res->status}++;
    $etag{$res->header('ETag') // ''}++;
    $titles{$t->titles('all')}++;
}
is_deeply \%status, {200 => 50}, 'answered at once, from the first on';
is_deeply [keys %titles], [$before], 'from the last commit';
is_deeply [keys %etag], [$etag], 'as before, for caches, too';
ok !$t->log_lines(qr/reconciled|this process indexes/, $mark),
    'while nobody indexes';

# --- it is free: reconciled behind, every answer on the way is a feed

close $lock;
my %bad;
my $after = join ' ', map { $_ % 4 ? "c$_" : "new$_" }
    grep { $_ % 8 != 1 } reverse 1 .. $CARDS;
wait_for(sub {
    my $have = $t->titles('all');
    $bad{$have}++ if $have !~ /^(?:(?:c|new)\d+ ?){300,400}$/;
    return $have eq $after;
}, 'reconciled behind');
is $t->titles('all'), $after, 'then all that changed is there';
is_deeply \%bad, {}, 'and every answer on the way was a feed';
is_deeply [reconciled($t, 'told', $mark)],
    [$CARDS / 4, $CARDS - @gone], 'only what changed was read';

# --- a reload finds the same

$mark = $t->mark;
$lock = undef;
$t->reload;
my ($parsed) = reconciled($t, 'a reload', $mark);
cmp_ok $parsed, '<=', $CARDS / 4, 'a reload: nothing else is read';
is $t->titles('all'), $after, 'a reload: the same feed';

$t->finish;
