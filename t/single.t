# One process, no master: the same feeds, also after a reload.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 0);

sub card {
    my ($title, $date) = @_;
    $t->card("$title.md", {title => $title, date => $date,
        topics => ['Single'], webUrl => "https://example.org/$title"});
}

card('one', '2021-01-01');
$t->start;
$t->wait_titles('all', 'one', 'a card');
card('two', '2021-01-02');
$t->wait_titles('all', 'two one', 'another');

for my $round (1 .. 2) {
    my $mark = $t->mark;
    kill 'HUP', $t->pid;
    $t->wait_log(qr/reconfiguring/, "reload $round", $mark);
    card("after-$round", "2021-02-0$round");
    $t->wait_titles('all', qr/^after-$round /, "a card after reload $round");
}

$t->restart;
$t->wait_titles('all', 'after-2 after-1 two one', 'restarted');
is $t->stop('QUIT'), 0, 'a graceful end';

$t->finish;
