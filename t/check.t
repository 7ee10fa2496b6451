# cardfeed-check: rejects what the module rejects, warns of what would look
# wrong, and says so in a form that editors and CI take.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy ();
use POSIX ();
use Test::More;
use Cardfeed::Test;

my $built = Cardfeed::Test->root . '/build/cardfeed-check';
-x $built
    or plan skip_all => 'no program; "make cardfeed-check" makes it';

# As root everything is another user's, whom file permissions concern.
my $user = $> == 0 ? 'www-data' : undef;
my $t = Cardfeed::Test->new(defined $user ? (user => $user) : (),
    collection => 'include=*.md,*.markdown,*.html,*.txt max_card=4k'
        . ' exclude=skipped timezone=+02:00');
my $content = $t->content;
my $program = $t->dir . '/cardfeed-check';
File::Copy::copy($built, $program) or die $!;
chmod 0755, $program or die $!;

# (status, stdout, stderr)
sub check {
    my (@args) = @_;

    my @to = map { $t->dir . "/said-$_" } 1, 2;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $to[0];
        open STDERR, '>', $to[1];
        if (defined $user) {
            my ($uid, $gid) = (getpwnam $user)[2, 3];
            POSIX::setgid($gid);
            $) = "$gid $gid";
            POSIX::setuid($uid);
        }
        exec $program, @args or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? >> 8, map { slurp($_) } @to);
}

sub text {
    my ($title, $more, $body) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\n" . ($more // '')
        . "---\n" . ($body // "Body.\n");
}

# --- the module's own word

# What the program calls an error, as the log has it.
sub errors {
    my ($out) = @_;

    return sort map { m{^\Q$content\E/(.*?:\d+): error: (.*)$} ? "$1: $2" : () }
        split /\n/, $out;
}

sub logged {
    my ($of) = @_;

    return sort map {
        m{\[warn\].*"news": "(.*?)"(?::(\d+))?: (.*)$}
            ? "$1:" . ($2 // 1) . ": $3" : ()
    } $of->log_lines(qr/\[warn\]/);
}

my %bad = (
    'fence' => "---\ntitle: x\ndate: 2021-01-01\n\nNo end.\n",
    'tabs' => "---\ntitle: x\nprovider:\n\tname: x\n---\n",
    'utf8' => text('x', "excerpt: \"\xff\xfe\"\n"),
    'utf8-body' => text('x', '', "A\nB\n\xc3\n"),
    'yaml' => text('x', "excerpt: \"unclosed\nmore: [x\n"),
    'colon' => text('x: y: z'),
    'sequence' => "---\n- a\n- b\n---\n",
    'deep' => text('x', 'more: ' . '[' x 500 . ']' x 500 . "\n"),
    'date' => "---\ntitle: x\ndate: 2020-13-45\n---\n",
    'date-list' => "---\ntitle: x\ndate: [2020-01-01]\n---\n",
    'flag' => text('x', "draft: perhaps\n"),
    'control' => "---\ntitle: \"x\\x07y\"\ndate: 2021-01-01\n---\n",
    'large' => text('x', '', 'x' x 4096),
    "control\x01in\\name" => text('x: y: z'),
    "not-utf8\xff" => text('x: y: z'),
);
$t->file("bad/$_.md", $bad{$_}) for keys %bad;
$t->file("skipped/x.md", $bad{yaml});
$t->file("_drafts/x.md", $bad{yaml});
$t->file("good/$_.md", text($_)) for 'a' .. 'e';
$t->file('none/empty.md', '');
$t->file('none/plain.md', "# No front matter\n");
# Two files, one identity; the lowest that is a card has it.
$t->file('twins/a.md', text('twin: a: b', "id: urn:example:twin\n"));
$t->file("twins/$_.md", text("twin-$_", "id: urn:example:twin\n"))
    for qw(d c b);
# The better extension keeps the path's; of the others the lowest.
$t->file("ranks/a.$_", text("rank $_")) for qw(txt html markdown md);
$t->file("ranks/b.$_", text("rank $_")) for qw(txt html);
$t->file("links/$_.md", text("link $_", "url: https://example.org/one\n"))
    for qw(a b);
POSIX::mkfifo("$content/odd-fifo.md", 0644) or die $!;
symlink '/etc/passwd', "$content/odd-outside.md" or die $!;
symlink 'nowhere', "$content/odd-nowhere.md" or die $!;
symlink 'good', "$content/odd-directory" or die $!;
symlink 'good/a.md', "$content/odd-link.md" or die $!;
$t->file('odd-unreadable.md', text('unreadable'));
chmod 0, "$content/odd-unreadable.md" or die $!;
$t->file('odd-locked/x.md', text('locked'));
chmod 0, "$content/odd-locked" or die $!;

for my $more ('', ' ids=permalink site=https://example.org/base') {
    my $of = $more eq '' ? $t : Cardfeed::Test->new(
        defined $user ? (user => $user) : (), content => $content,
        collection => $t->{collection} . $more);
    $of->start;
    my $ready = $of->wait_log(qr/is ready/, 'the first scan') // '';
    my ($status, $out, $err) = check(split(' ', $of->{collection}), $content);
    is $status, 1, "status 1$more";
    is $err, '', 'nothing on stderr';
    my @errors = errors($out);
    is_deeply \@errors, [logged($of)], 'rejected as by the module';
    cmp_ok scalar(@errors), '>=', keys(%bad) + 8, 'and not a few';
    is scalar(grep { $_ eq 'links/b.md:4: has the identity of "links/a.md"' }
        @errors), $more eq '' ? 0 : 1, 'the same link twice';
    my ($counts) = $ready =~ /(\d+ cards in feeds), /;
    like $out, qr/files: \Q$counts\E,/, 'as many in feeds';
    for my $what (qw(undated waiting hidden rejected), 'without front matter') {
        my ($n) = $ready =~ / (\d+) $what/;
        like $out, qr/ $n $what\b/, "as many $what";
    }
    my @paths = map { /^(.*?):\d+: \w+: / ? $1 : () } split /\n/, $out;
    s/\\x([0-9a-f]{2})/chr hex $1/ge for @paths;
    is_deeply \@paths, [sort @paths], 'by path';
    is((check(split(' ', $of->{collection}), $content))[1], $out,
        'the same again');
    is $of->stop, 0, 'nginx ended with status 0';
}

# --- warnings

chmod 0755, "$content/odd-locked" or die $!;
$content = $t->dir . '/other';
mkdir $content or die $!;

sub front {
    my ($name, @lines) = @_;
    $t->file("../other/$name.md", join '', map { "$_\n" } '---', @lines,
        '---');
}

# A few words of a fine card: what it says, and no more.
my @fine = ('title: x', 'excerpt: y', 'date: 2021-01-01');
my $next = 0;
sub fine { my ($name, @more) = @_; front($name, @fine, @more) }

fine('fine');
is_deeply [check('-q', $content)], [0, '', ''], 'a fine card';

my ($future, $far) = map { rfc3339(time + $_ * 86400 * 365) } 1, 11;
my %warn = (
    'a-excerpt' => [['title: x', 'date: 2021-01-01'], 2, qr/no excerpt/],
    'a-title' => [['date: 2021-01-01', 'excerpt: y'], 1,
        qr/no title: "A title" is made of the file's name/],
    'old' => [['title: x', 'excerpt: y', 'date: 1970-01-01'], 4,
        qr/published 1970-01-01T00:00:00Z, before 1990/],
    'far' => [['title: x', "date: $far", 'excerpt: y'], 3,
        qr/published .* more than ten years ahead/],
    'updated' => [[@fine, 'updated: 2020-12-30'], 5,
        qr/updated 2020-12-30T00:00:00Z, before it was published/],
    'updated-later' => [[@fine, "lastmod: $future"], 5, qr/is to come/],
    'expires' => [[@fine, 'expiryDate: 2020-01-01'], 5,
        qr/expires 2020-01-01T00:00:00Z, before it is published/],
    'relative' => [[@fine, 'url: /x/'], 5, qr/link "\/x\/" is relative/],
    'image' => [[@fine, 'images:', '  - width: 3', '    url: x.png'], 7,
        qr/image "\/x\.png" is relative/],
    'enclosure' => [[@fine, 'actions:', '  - url: /x.mp3',
        '    type: download'], 6, qr/enclosure "\/x\.mp3" is relative/],
    'scheme' => [[@fine, 'url: ftp://example.org/'], 5,
        qr/no http or https URL/],
);
front($_, @{$warn{$_}[0]}) for keys %warn;
fine('quiet-hidden', 'draft: true', 'url: /quiet/');
fine('quiet-expired', 'expiryDate: 2021-02-01', 'url: /quiet/');
front('quiet-undated', 'title: x', 'url: /quiet/');
front('quiet-waiting', 'title: x', "date: $future", 'excerpt: y');
fine('quiet-updated', 'updated: 2021-01-01');
fine('same-1', 'url: https://EXAMPLE.org/same');
fine('same-2', 'x: y', 'url: https://example.org/same');
fine('same-3', 'draft: true', 'url: https://example.org/same');

my ($status, $out, $err) = check($content);
is $status, 0, 'warnings are no errors';
for my $name (sort keys %warn) {
    my @lines = $out =~ m{^(\Q$content\E/\Q$name\E\.md:.*)$}mg;
    is scalar(@lines), 1, "$name: one line" or diag $out;
    like $lines[0] // '',
        qr{^\Q$content\E/\Q$name\E\.md:$warn{$name}[1]: warning: .*$warn{$name}[2]},
        "$name: where and why";
}
like $out, qr{^\Q$content\E/same-2\.md:6: warning: has the link of "same-1\.md"$}m,
    'the second card of a link';
unlike $out, qr{/(?:quiet|fine|same-[13])[^/]*:\d}, 'and nothing else';
like $out, qr/; 12 warnings$/, 'they are counted';

is((check('--strict', $content))[0], 1, '--strict: status 1');
($status, $out) = check('site=https://example.org', '-q', $content);
unlike $out, qr/is relative/, 'site= says where URLs lead';
is((check('-qs', 'include=fine.md', $content))[0], 0, 'fine and strict');

# --- the summary

$content = $t->dir . '/topics';
mkdir $content or die $!;
$t->file("../topics/$_->[0].md", "---\ntitle: x\nexcerpt: y\ndate: $_->[1]\n"
    . "topics: [$_->[2]]\n---\n")
    for ['a', '2021-01-03', 'SQL, common'], ['b', '2021-01-02', 'sql, Common'],
        ['c', '2021-01-01', 'sql'], ['d', '2999-01-01', 'Waiting'];
$t->file("../topics/many.md", "---\ntitle: x\nexcerpt: y\ndate: 2020-01-01\n"
    . 'topics: [' . join(', ', map { "t$_" } 10 .. 39) . "]\n---\n");

($status, $out) = check($content);
like $out, qr/^ +cards  newest      topic\n +3  2021-01-03  sql\n +2  2021-01-03  Common\n +1  2020-01-01  t10\n/m,
    'by cards, then by slug; the most used spelling, then the first';
unlike $out, qr/^ .*Waiting/m, 'topics of cards in feeds';
like $out, qr/t27\n +and 12 more \(--all-topics\)\n5 files: 4 cards in feeds, 0 undated, 1 waiting, 0 hidden, 0 expired, 0 rejected, 0 without front matter; 1 warnings\n\z/,
    'cut, with a count, and the totals';
like +(check('--all-topics', $content))[1], qr/t38\n +1  2020-01-01  t39\n5 files/,
    '--all-topics';

# --- many, so that nothing is lost as tables grow

my $topics = $content;
$content = $t->dir . '/many';
mkdir $content or die $!;
for my $n (1000 .. 2499) {
    $t->file_in_place("../many/$n.md", "---\ntitle: x\nexcerpt: y\n"
        . "date: 2021-01-01\nurl: https://example.org/"
        . ($n % 1400) . "\ntopics: [t$n]\n---\n");
}
($status, $out) = check($content);
is join(' ', map { /(\d+)\.md:5: warning: has the link of "(\d+)\.md"$/
        ? "$2-$1" : () } split /\n/, $out),
    join(' ', map { $_ - 1400 . "-$_" } 2400 .. 2499), 'every second link';
like $out, qr/and 1480 more.*1500 files: 1500 cards in feeds/s, 'every topic';

$content = $topics;

# --- paths as they were given, and no terminal

my $here = POSIX::getcwd();
chdir $t->dir or die $!;
$t->file('../topics/z.md', "---\nx: [\n---\n");
($status, $out, $err) = check('-q', 'topics//');
like $out, qr{^topics//z\.md:\d+: error: }m, 'a relative path';
is $err, '', 'no progress without a terminal';
chdir $here or die $!;

SKIP: {
    -x '/usr/bin/script' or skip 'no script(1)', 3;
    my $said = `script -qec "'$program' '$content'" /dev/null </dev/null`;
    like $said, qr/\r\e\[K\d+ files found/, 'progress on a terminal';
    unlike $said, qr/found(?!\r\e\[K)/, 'it is cleared before anything else';
    like $said, qr/6 files: .*warnings\r?\n\z/, 'and the result stays';
}

# --- what it cannot do

for my $case (
    [[], qr/^usage: /],
    [['--nothing', $content], qr/^usage: /m],
    [['site=/x', $content], qr{"site=/x": an absolute http or https URL is}],
    [['threads=2', $content], qr/"threads=2": include=, .* are allowed/],
    [[$content, $content], qr/invalid parameter "\Q$content\E"/],
    [["$content/nothing"], qr/nothing": No such file or directory/],
    [["$content/a.md"], qr/Not a directory/],
    [[''], qr/No such file or directory/],
) {
    my ($args, $words) = @$case;
    ($status, $out, $err) = check(@$args);
    is $status, 2, "@$args: status 2";
    is $out, '', "@$args: nothing on stdout";
    like $err, $words, "@$args: why";
}

chmod 0, $content or die $!;
($status, $out, $err) = check($content);
is $status, 2, 'a directory that cannot be read';
like $err, qr/Permission denied/, 'and why';
chmod 0755, $content or die $!;

($status, $out, $err) = check('--help');
is $status, 0, '--help';
like $out, qr/^usage: .*--strict/s, 'says how';

# --- real cards

SKIP: {
    my $corpus = Cardfeed::Test->corpus
        // skip 'no ../shared/corpus here', 3;
    ($status, $out, $err) = check($corpus);
    is $status, 0, 'real cards are fine';
    like $out, qr/^1405 files: 1011 cards in feeds, 144 undated, 0 waiting, 250 hidden, 0 expired, 0 rejected, /m,
        'and as many as the module finds';
    is scalar(grep { !/ has the link of / } $out =~ /^(.*: warning: .*)$/mg),
        0, 'no false alarm';
}

$t->finish;
