# Cards that fall due and that expire, by themselves, at their second.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use Cardfeed::Test;

my $t = Cardfeed::Test->new;

sub matter {
    my ($title, $date, %more) = @_;
    return {title => $title, date => $date, topics => ['Time'],
        webUrl => "https://example.org/$title", %more};
}

$t->card('base.md', matter('base', '2020-01-01'));
$t->start;

# Written while nginx runs.
my $due = int(time) + 3;
my $end = $due + 1;
$t->card('due.md', {%{matter('due', rfc3339($due))}, topics => ['Time',
    'Due Topic']});
$t->card('end.md', matter('end', '2020-01-02', expiryDate => rfc3339($end)));
$t->wait_titles('time', qr/end base/, 'the one that will expire is there');
is $t->get('/feeds/due-topic.rss')->status, 404, 'a topic of tomorrow is 404'
    if time < $due - 1;
my ($age) = $t->get('/feeds/time.atom')->header('Cache-Control')
    =~ /max-age=(\d+)/;
cmp_ok $age, '<=', 3, 'max-age ends with the next due card';

my ($early, $first, $last) = (0);
wait_for(sub {
    my $titles = $t->titles('time');
    my $now = time;
    $early++ if $titles =~ /due/ && $now < $due;
    $first //= $now if $titles =~ /due/;
    $last = $now if $titles =~ /end/;
    return $first && $titles !~ /end/;
}, 'the one comes, the other goes', 15);
ok !$early, 'never before it is due';
cmp_ok $first - $due, '<', 2, 'there soon after it is due';
cmp_ok $last - $end, '<', 2, 'gone soon after it expired';
is $t->titles('time'), 'due base', 'what is left';
is $t->titles('due-topic'), 'due', 'its topic is there now';
# Requests leave out what has expired before the indexer has taken it out.
wait_for(sub {
    ($age) = $t->get('/feeds/time.atom')->header('Cache-Control')
        =~ /max-age=(\d+)/;
    return $age;
}, 'the indexer has taken it out');
is $age, 300, 'nothing due: the whole max-age';

# Over a restart: both fall into the time when nothing runs.
$due = int(time) + 2;
$t->card('due2.md', matter('due2', rfc3339($due)));
$t->card('end2.md', matter('end2', '2020-01-02',
    expiryDate => rfc3339($due)));
$t->wait_titles('time', 'due end2 base', 'before the restart');
is $t->stop, 0, 'stopped';
cmp_ok time, '<', $due, 'in time' or diag 'this machine is too slow';
sleep $due - time + 0.1 if time < $due + 0.1;
$t->start(ready => 0);
my $seen = '';
wait_for(sub { ($seen = $t->titles('time')) !~ /^\(/ }, 'the first answer');
is $seen, 'due2 due base', 'is right at once';

# And one that falls due after a restart, with nothing else happening.
$due = int(time) + 3;
$t->card('due3.md', matter('due3', rfc3339($due)));
$t->restart;
$t->wait_titles('time', 'due3 due2 due base', 'due after a restart', 15);
cmp_ok time, '>=', $due, 'not before its second';

# A scheduled card that is edited or deleted before its time.
$due = int(time) + 2;
$t->card("$_.md", matter($_, rfc3339($due))) for qw(never later soon);
$t->card('later.md', matter('later', '2099-01-01'));
$t->remove('never.md');
$t->wait_titles('time', qr/soon/, 'the one that stays comes', 15);
unlike $t->titles('time'), qr/never|later/, 'the others do not';
$t->card('later.md', matter('now', '2020-06-01'));
$t->wait_titles('time', qr/now/, 'a date moved into the past');
$t->card('later.md', matter('now', '2099-06-01'));
$t->wait_titles('time', qr/^(?!.*now)/, 'and back into the future');

$t->finish;
