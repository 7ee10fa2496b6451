# Bad input: one warning each, with path, line and reason; the last good
# version stays; everything else is served.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

# As root the workers are www-data, whom file permissions concern.
my $t = Cardfeed::Test->new($> == 0 ? (user => 'www-data') : ());
my $content = $t->content;

sub text {
    my ($title, $more) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\ntopics: [Bad Input]\n"
        . ($more // '') . "---\nBody.\n";
}

my $deep = '[' x 5000 . ']' x 5000;
my $bomb = join '', "a0: &a0 [x, x]\n", map {
    "a$_: &a$_ [" . join(', ', ("*a" . ($_ - 1)) x 10) . "]\n" } 1 .. 9;

# name → [bytes, the line it must name or undef for any]
my %bad = (
    'fence' => ["---\ntitle: x\ndate: 2021-01-01\n\nNo end.\n", undef],
    'tabs' => ["---\ntitle: x\ndate: 2021-01-01\nprovider:\n\tname: x\n---\n",
        5],
    'utf8' => [text("x", "excerpt: \"\xff\xfe\"\n"), 5],
    'utf8-cut' => [text("x", "excerpt: \"\xe2\x82\"\n"), 5],
    'utf8-surrogate' => [text("x", "excerpt: \"\xed\xa0\x80\"\n"), 5],
    'yaml' => [text('x', "excerpt: \"unclosed\nmore: [x\n"), undef],
    'yaml-colon' => [text('x: y: z'), 2],
    'yaml-sequence' => ["---\n- a\n- b\n---\n", undef],
    'deep' => [text('x', "more: $deep\n"), 5],
    'bomb' => [text('x', "${bomb}topics: *a9\n"), undef],
    'date' => ["---\ntitle: x\ndate: 2020-13-45\n---\n", 3],
    'date-words' => ["---\ntitle: x\ndate: yesterday\n---\n", 3],
    'date-updated' => [text('x', "updated: 2020-02-30\n"), 5],
    'control' => ["---\ntitle: x\x01y\ndate: 2021-01-01\n---\n", 2],
    'control-escaped'
        => ["---\ntitle: \"x\\x07y\"\ndate: 2021-01-01\n---\n", 2],
);
my %good = (
    'crlf' => text('crlf') =~ s/\n/\r\n/gr,
    'bom' => "\xef\xbb\xbf" . text('bom'),
    'bodyless' => "---\ntitle: bodyless\ndate: 2021-01-01\n"
        . "topics: [Bad Input]\n---",
    'noncharacter' => text("\"non\xef\xb7\x90character\""),
);

$t->file("bad/$_.md", $bad{$_}[0]) for sort keys %bad;
$t->file("good/$_.md", $good{$_}) for sort keys %good;
$t->file('none/empty.md', '');
$t->file('none/plain.md', "# No front matter\n\n---\ntitle: x\n---\n");
$t->file('none/page.html', "<html></html>\n");

# Two files, one identity: the lowest path wins.
$t->file("twins/$_.md", text("twin-$_", "id: urn:example:twin\n"))
    for qw(a b c);

# What is not a file to read.
my %odd;
POSIX::mkfifo("$content/fifo.md", 0644) or die $!;
$odd{'fifo.md'} = qr/regular/i;
symlink '/etc/passwd', "$content/outside.md" or die $!;
$odd{'outside.md'} = qr/outside|leaves|symbolic|link/i;
symlink '../' x 3 . 'etc/passwd', "$content/outside2.md" or die $!;
$odd{'outside2.md'} = qr/outside|leaves|symbolic|link/i;
$t->file('big.md', text('big'));
truncate "$content/big.md", 100 * 1024 * 1024 or die $!;
$odd{'big.md'} = qr/large|max_card|size|1048576|bytes/i;
$t->file('unreadable.md', text('unreadable'));
chmod 0, "$content/unreadable.md" or die $!;
$odd{'unreadable.md'} = qr/permission denied/i;
if ($> == 0 && system("mknod '$content/device.md' c 1 3 2>/dev/null") == 0) {
    $odd{'device.md'} = qr/regular/i;
}
require IO::Socket::UNIX;
chdir $content or die $!;
my $socket = IO::Socket::UNIX->new(Local => 'socket.md', Listen => 1);
$odd{'socket.md'} = qr/regular/i if $socket;

$t->start;

my $warn = sub {
    my ($path, $mark) = @_;
    return grep { m{"news": "\Q$path\E"} }
        $t->log_lines(qr/\[(?:warn|error|alert|crit)\]/, $mark);
};

for my $name (sort keys %bad) {
    my $path = "bad/$name.md";
    wait_for(sub { $warn->($path) }, "$path is reported") or next;
    my @lines = $warn->($path);
    is scalar(@lines), 1, "$name: one line";
    my ($line, $reason)
        = $lines[0] =~ m{\[warn\].*collection "news": "\Q$path\E":(\d+): (.+)}
        or fail("$name: path, line and reason") && next;
    pass "$name: path, line and reason";
    is $line, $bad{$name}[1], "$name: the right line"
        if defined $bad{$name}[1];
    note "$path:$line: $reason";
    unlike $lines[0], qr/[\x00-\x08\x0b-\x1f\x7f]|\xff/,
        "$name: the line is fit for a log";
}

for my $path (sort keys %odd) {
    wait_for(sub { $warn->($path) }, "$path is reported") or next;
    my @lines = $warn->($path);
    is scalar(@lines), 1, "$path: one line";
    like $lines[0], qr{\[warn\].*collection "news": "\Q$path\E"(?::\d+)?: },
        "$path: path and reason";
    like $lines[0], $odd{$path}, "$path: the reason";
}

is scalar($warn->('twins/a.md')), 0, 'twins: the lowest path is no news';
for my $path (qw(twins/b.md twins/c.md)) {
    my @lines = $warn->($path);
    is scalar(@lines), 1, "$path: one line";
    like $lines[0] // '', qr{"\Q$path\E":5: .*"?twins/a\.md"?},
        "$path: the line of its id, and who has it";
}

is scalar($warn->("none/$_")), 0, "none/$_ is not reported"
    for qw(empty.md plain.md page.html);
is scalar($warn->("good/$_.md")), 0, "good/$_.md is not reported"
    for sort keys %good;

my $ready = $t->wait_log(qr/collection "news" is ready/, 'the first scan');
my $rejected = keys(%bad) + keys(%odd) + 2;
like $ready // '', qr/ \Q$rejected\E rejected/, 'rejected ones are counted';
like $ready // '', qr/ 3 without front matter/, 'others are only counted';

my $feed = rss($t->get('/feeds/all.rss')->body);
is_deeply [sort map { $_->{title} } @{$feed->{items}}],
    [sort qw(noncharacter crlf bom bodyless twin-a)],
    'everything else is served';

# --- a good card goes bad, and good again

$t->card('turn.md', {title => 'turn-1', date => '2022-01-01',
    topics => ['Turn']});
$t->wait_titles('turn', 'turn-1', 'a good card');
my $mark = $t->mark;
$t->file('turn.md', $bad{yaml}[0]);
wait_for(sub { $warn->('turn.md', $mark) }, 'it goes bad');
is $t->titles('turn'), 'turn-1', 'its last good version stays';
$t->file_in_place('turn.md', $bad{date}[0]);
wait_for(sub { $warn->('turn.md', $mark) > 1 }, 'bad in another way');
is scalar($warn->('turn.md', $mark)), 2, 'one line each';
is $t->titles('turn'), 'turn-1', 'its last good version stays again';
$t->card('turn.md', {title => 'turn-2', date => '2022-01-01',
    topics => ['Turn']});
$t->wait_titles('turn', 'turn-2', 'good again');

# It stays over a restart as well, and is no news again.
$t->file('turn.md', $bad{yaml}[0]);
wait_for(sub { $warn->('turn.md', $mark) > 2 }, 'bad once more');
is $t->stop, 0, 'stopped';
$mark = $t->mark;
$t->start;
is $t->titles('turn'), 'turn-2', 'the last good version is there';
$t->wait_log(qr/is reconciled/, 'reconciled', $mark);
is scalar($t->log_lines(qr/\[warn\]/, $mark)), 0,
    'nothing is reported twice' or diag $t->log_lines(qr/\[warn\]/, $mark);
$t->remove('turn.md');
$t->wait_titles('turn', '', 'deleting it takes the good version too');

# --- the winner of an identity leaves

$t->remove('twins/a.md');
$t->wait_titles('bad-input', qr/twin-b/, 'the next twin takes over');
unlike $t->titles('bad-input'), qr/twin-[ac]/, 'one of them at a time';
$t->file('twins/a.md', text('twin-a', "id: urn:example:twin\n"));
$t->wait_titles('bad-input', qr/twin-a/, 'the lowest path takes it back');
unlike $t->titles('bad-input'), qr/twin-[bc]/, 'from the other';

# --- what was unreadable is made readable

chmod 0644, "$content/unreadable.md" or die $!;
$t->wait_titles('bad-input', qr/unreadable/, 'readable now');
$t->file('locked/x.md', text('locked'));
$t->wait_titles('bad-input', qr/locked/, 'a directory');
$mark = $t->mark;
chmod 0, "$content/locked" or die $!;
$t->restart;
$t->wait_log(qr/\[warn\].*"locked".*permission denied/i,
    'a directory that cannot be read is reported', $mark);
like $t->titles('bad-input'), qr/unreadable/, 'all others stay';
chmod 0755, "$content/locked" or die $!;
$t->file('locked/y.md', text('unlocked'));
$t->wait_titles('bad-input', qr/(?=.*\blocked)(?=.*unlocked)/,
    'it is readable again');

chdir '/';
$t->finish;
