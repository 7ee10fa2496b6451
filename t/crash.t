# Workers that are killed: the next one takes the index over; twice in a
# minute, and it is built anew.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1,
    allow => [qr/exited on signal 9/]);

sub card {
    my ($title, $date) = @_;
    $t->card("$title.md", {title => $title, date => $date,
        topics => ['Crash'], webUrl => "https://example.org/$title"});
}

sub crash {
    my ($old) = $t->workers;
    kill 'KILL', $old;
    wait_for(sub { my @w = $t->workers; @w == 1 && $w[0] != $old },
        'another worker');
}

card('one', '2021-01-01');
$t->start;
$t->wait_titles('all', 'one', 'a card');

crash();
card('two', '2021-01-02');
$t->wait_titles('all', 'two one', 'the next worker indexes');

# Deaths within one second count as one.
sleep 1.1;
my $mark = $t->mark;
crash();
card('three', '2021-01-03');
$t->wait_titles('all', 'three two one', 'and the next');
ok scalar($t->log_lines(qr/\[(?:warn|error)\].*died twice/, $mark)),
    'an index that may kill workers is not trusted, the log says so'
    or diag $t->log($mark);

# While a worker is dead, cards change.
my ($old) = $t->workers;
kill 'STOP', $old;
card('four', '2021-01-04');
$t->remove('two.md');
kill 'KILL', $old;
$t->wait_titles('all', 'four three one', 'what changed meanwhile is found');

$t->finish;
