# A restart parses only what changed; a reload hands the index over.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Test;

my $t = Cardfeed::Test->new;
my $content = $t->content;

sub matter {
    my ($title, $date, $topic) = @_;
    return {title => $title, date => $date, topics => [$topic // 'Stay'],
        webUrl => "https://example.org/$title"};
}

$t->card(sprintf('d%d/%03d.md', $_ % 5, $_), matter("c$_",
    rfc3339(1_600_000_000 + $_))) for 1 .. 200;
$t->file('bad.md', "---\ntitle: x\ndate: 2020-13-45\n---\n");
$t->file('plain.md', "no card\n");
$t->card('draft.md', {%{matter('draft', '2021-01-01')}, draft => 'true'});
# Signatures younger than two seconds are looked at again: not these.
my $past = time - 3600;
system 'find', $content, '-type', 'f', '-exec', 'touch', '-d', "\@$past",
    '{}', '+';
wait_for(sub { time - (stat "$content/draft.md")[10] > 3.1 },
    'the files are old enough', 5);

$t->start;
like $t->wait_log(qr/is ready/, 'the first scan') // '',
    qr/ 200 cards in feeds.* 1 hidden, 1 rejected, 1 without front matter; parsed 202 of 203 files/,
    'the first scan parses everything';
my @all = split / /, $t->titles('all');
is scalar @all, 200, 'all are there';

# --- a restart with nothing changed

sub reconciled {
    my ($mark, $what) = @_;
    my $line = $t->wait_log(qr/"news" is reconciled/, $what, $mark) // '';
    my ($parsed, $files) = $line =~ /parsed (\d+) of (\d+) files/;
    return ($parsed // -1, $files // -1);
}

my $mark = $t->mark;
$t->restart;
is_deeply [reconciled($mark, 'restarted')], [0, 203],
    'nothing changed, nothing parsed' or diag $t->log($mark);
is $t->titles('all'), join(' ', @all), 'the same feed';

# --- with an index, it serves at once

my %status;
for my $round (1 .. 5) {
    $t->restart(ready => 0);
    $status{$t->get('/feeds/all.rss')->status}++ for 1 .. 10;
}
is_deeply [sort keys %status], [200], 'the first answers after a start'
    or diag explain \%status;

# --- a restart with changes behind its back

is $t->stop, 0, 'stopped';
$t->card('d1/001.md', matter('c1-edited', rfc3339(1_600_000_001)));
$t->card('d9/new.md', matter('new', '2021-02-02'));
$t->remove('d2/002.md');
rename "$content/d3", "$content/e3" or die $!;
$t->file('d4/004.md', "no card any more\n");
my $moved = grep { $_ % 5 == 3 } 1 .. 200;
$mark = $t->mark;
$t->start;
$t->wait_titles('all', qr/^new c200 /, 'what is new is there');
is_deeply [reconciled($mark, 'restarted')], [2 + $moved, 203],
    'only what changed is parsed';
my %now = map { $_ => 1 } split / /, $t->titles('all');
is_deeply [sort grep { !$now{$_} } @all], [qw(c1 c2 c4)], 'what went is gone';
ok $now{'c1-edited'} && $now{c3}, 'what changed and what moved is there';

# The same size and the same mtime, but another file: found by inode, ctime.
my $before = $t->card_text(matter('same-1', '2021-03-01'));
$t->file('same.md', $before);
$t->wait_titles('all', qr/^same-1 /, 'a card');
is $t->stop, 0, 'stopped';
my @stat = stat "$content/same.md";
$t->file('same.md', $before =~ s/same-1/same-2/gr);
utime $stat[8], $stat[9], "$content/same.md";
$t->start;
$t->wait_titles('all', qr/^same-2 /, 'a file with the old size and time');

# --- a reload: no request fails, the new worker indexes

my %old = map { $_ => 1 } $t->workers;
my %got;
for my $round (1 .. 3) {
    $t->reload(wait => 0);
    my $until = time + 0.4;
    while (time < $until) {
        $got{$t->get('/feeds/stay.rss?limit=2')->status}++;
    }
}
is_deeply [sort keys %got], [200], 'no request failed during three reloads'
    or diag explain \%got;
wait_for(sub { my @w = $t->workers; @w == 2 && !grep { $old{$_} } @w },
    'the old workers are gone');
$t->card('reload.md', matter('reloaded', '2021-04-01'));
$t->wait_titles('all', qr/^reloaded /, 'the new worker indexes');

# An old worker that still has a client gives the index up all the same.
my $slow = $t->connection;
$slow->syswrite("GET /feeds/all.rss HTTP/1.1\r\nHost: x\r\n");
%old = map { $_ => 1 } $t->workers;
wait_for(sub { $t->has_read($slow) }, 'a worker has the request so far');
$t->reload;
ok scalar(grep { $old{$_} } $t->workers), 'an old worker lives on';
$t->card('reload2.md', matter('reloaded-2', '2021-04-02'));
$t->wait_titles('all', qr/^reloaded-2 /,
    'the new worker indexes while the old one has a client');
$slow->syswrite("Connection: close\r\n\r\n");
my $answer = '';
1 while $slow->sysread($answer, 65_536, length $answer);
like $answer, qr{^HTTP/1\.1 200 }, 'the old worker answers it';
like $answer, qr/reloaded-2/, 'with what is there now';
wait_for(sub { !grep { $old{$_} } $t->workers }, 'then it ends');

# --- another configuration: a new index, the old one serves until it is done

$t->{collection} = 'exclude=d1';
$t->reload;
$t->wait_titles('all', qr/^(?!.*c1-edited)/, 'an exclusion takes effect');
$t->{collection} = '';
$t->reload;
$t->wait_titles('all', qr/c1-edited/, 'and its end');

$t->finish;
