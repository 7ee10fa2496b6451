# The example site serves what it should, by examples/run.sh as by the
# configuration one would copy.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use IO::Select;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Cardfeed::Feed;
use Cardfeed::Test;

my $root = Cardfeed::Test->root;
my $t = Cardfeed::Test->new(content => "$root/examples/content");
$t->start;

my $ready = $t->wait_log(qr/is ready/, 'the first scan');
like $ready // '', qr/: 16 cards in feeds, .* 1 undated, 1 waiting, 2 hidden, 0 rejected, 1 without front matter/,
    'every kind of card';

my %count = (
    'all' => 16, 'csharp' => 2, 'cplusplus' => 2, 'dotnet' => 2,
    'asp-net' => 1, 'management-tools' => 3, 'command-line' => 5,
    'version-control' => 3, 'debugging' => 3, 'testing' => 2, 'web' => 1,
    '%E6%97%A5%E6%9C%AC%E8%AA%9E' => 1,
    '%D0%BE%D1%82%D0%BB%D0%B0%D0%B4%D0%BA%D0%B0' => 1,
);
my %read = (rss => \&rss, atom => \&atom, json => \&json);
my %feeds;
for my $sel (sort keys %count) {
    for my $format (qw(rss atom json)) {
        my $res = $t->get("/feeds/$sel.$format");
        is $res->status, 200, "$sel.$format: 200" or next;
        my $feed = $read{$format}->($res->body);
        is scalar @{$feed->{entries} // $feed->{items}}, $count{$sel},
            "$sel.$format: $count{$sel} cards";
        $feeds{$format}{"$sel.$format"} = $res->body;
    }
}
is $t->get("/feeds/$_.rss")->status, 404, "$_: hidden cards have no feed"
    for qw(time-travel regrets history meet-ups courses);
for my $format (qw(rss atom)) {
    schemas_ok($format, $feeds{$format}, "$format follows its schema");
    readers_ok($format, $feeds{$format}, "feedparser reads $format");
}
json_ok($feeds{json}, 'json follows its rules');

my %by = map { $_->{title} => $_ } @{rss($feeds{rss}{'all.rss'})->{items}};
my $body = $by{'Small commits, small regrets'};
ok $body, 'a title from a body';
like $body->{description}, qr/^A commit that does one thing can be read/,
    'an excerpt from a body, without Markdown';
is $body->{pubDate}, 'Sat, 20 Dec 2025 00:00:00 GMT',
    'a date from a file name';
is $by{'Shell cheat sheet, two pages'}{enclosures}[0]{type},
    'application/pdf', 'a download has an enclosure';
like $by{'Weeding: a quiet week of deleting dead code'}{description},
    qr/feature flags &amp; one whole parser went away\. Nobody noticed – that’s/,
    'entities are decoded';
unlike join('', map { values %$_ } values %feeds), qr/TWFya2Vy/,
    'nothing secured';
is rss($feeds{rss}{'management-tools.rss'})->{title} =~ s/.*: //r,
    'Management tools', 'the most used spelling';

# --- the configuration to copy

my $d = $t->dir;
my $conf = slurp("$root/examples/nginx.conf");
my @changes = (
    [qr/^load_module modules\/ngx_http_cardfeed_module\.so;/m,
        $t->{module} eq 'static' ? '' : "load_module \"$t->{module}\";"],
    [qr/^user www-data;/m, $> == 0 ? 'user root;' : ''],
    [qr/^pid \/run\/nginx\.pid;/m, "pid $d/nginx.pid;\ndaemon off;"],
    [qr/\/var\/log\/nginx\/error\.log/, "$d/error.log"],
    [qr/\/var\/log\/nginx\/access\.log/, "$d/access.log"],
    [qr/listen 80;/, 'listen 127.0.0.1:' . $t->port . ';'],
    [qr/ \/srv\/site;/, " $root/examples/content;\n"
        . "    cardfeed_index_path $d/index2;\n"
        . join '', map { "    ${_}_temp_path $d/tmp/$_;\n" }
            'client_body', grep { !$t->{without}{$_} }
            qw(proxy fastcgi uwsgi scgi)],
);
for my $change (@changes) {
    my ($from, $to) = @$change;
    ok $conf =~ s/$from/$to/, "examples/nginx.conf has $from";
}
if (!-e '/etc/nginx/mime.types') {
    $conf =~ s/include \/etc\/nginx\/mime\.types;//;
}

is $t->stop, 0, 'stopped';
{
    no warnings 'redefine';
    local *Cardfeed::Test::conf = sub { $conf };
    my ($status, $said) = $t->check;
    is $status, 0, 'examples/nginx.conf is right' or diag $said;
    $t->start;
}
is scalar @{atom($t->get('/feed.xml')->body)->{entries}}, 16, '/feed.xml';
is scalar @{rss($t->get('/tags/C%23/index.xml')->body)->{items}}, 2,
    '/tags/C%23/index.xml';
is atom($t->get('/feed.xml')->body)->{links}{self},
    'http://example.org:' . $t->port . '/feed.xml', 'its self link';
is scalar @{rss($t->get('/feeds/all.rss')->body)->{items}}, 16, 'feeds';
is $t->stop, 0, 'stopped';

# --- examples/run.sh, in a place with a space in its name

SKIP: {
    skip 'the script loads a module', 1 if $t->{module} eq 'static';
    my $place = "$d/a place";
    mkdir $_ or die "$_: $!" for $place, "$place/my cards";
    copy $_, "$place/my cards/" for glob "$root/examples/content/_news/*";
    chmod 0755, $d;

    my $run = sub {
        my (@args) = @_;
        my $pid = open(my $out, '-|') // die $!;
        if (!$pid) {
            chdir $place or die $!;
            open STDERR, '>&', \*STDOUT;
            exec 'sh', "$root/examples/run.sh", @args or POSIX::_exit(127);
        }
        return ($pid, $out);
    };
    my $read = sub {
        my ($out, $until) = @_;
        my ($said, $select, $end) = ('', IO::Select->new($out), time + 20);
        while (time < $end && $said !~ $until && $select->can_read(1)) {
            sysread $out, $said, 4096, length $said or last;
        }
        return $said;
    };

    for my $signal (qw(INT TERM)) {
        my ($pid, $out) = $run->($t->{module}, 'my cards', $t->port);
        my $said = $read->($out, qr/TOPIC\.rss, \.atom, /);
        like $said, qr/workers run as/, "$signal: it says who the workers are";
        like $said, qr{http://127\.0\.0\.1:@{[$t->port]}/feeds/all\.atom},
            "$signal: it says the URL of all cards";
        like $said, qr{/feeds/management-tools\.atom +Management [Tt]ools},
            "$signal: and those of topics";
        is scalar @{rss($t->get('/feeds/all.rss')->body)->{items}}, 5,
            "$signal: the cards are served";
        like $said, qr{http://127\.0\.0\.1:@{[$t->port]}/feeds/\n},
            "$signal: and that of the catalogue";
        is $t->get('/')->status, 302, "$signal: where the first page leads";
        is $t->get('/feeds/')->status, 200, "$signal: and it is there";
        my $other = `cd "$place" && sh "$root/examples/run.sh" "$t->{module}" "my cards" @{[$t->port]} 2>&1`;
        isnt $? >> 8, 0, "$signal: a busy port is an error";
        like $other, qr/port @{[$t->port]}.*in use/,
            "$signal: and it says so";
        my @workers = $t->_children($pid);
        is scalar @workers, 2, "$signal: two workers";
        kill $signal, $pid;
        waitpid $pid, 0;
        is $?, 0, "$signal ends it with status 0";
        ok !(grep { kill 0, $_ } @workers), "$signal ends its workers";
        close $out;
    }

    for my $case ([['/nowhere.so', 'my cards', 8080], qr/no module/],
        [[$t->{module}, 'no cards', 8080], qr/no such directory/],
        [[$t->{module}, 'my cards', 'x'], qr/1 to 65535/],
        [[$t->{module}, 'my cards', 65536], qr/1 to 65535/])
    {
        my ($args, $words) = @$case;
        my ($pid, $out) = $run->(@$args);
        my $said = $read->($out, qr/\n/);
        waitpid $pid, 0;
        isnt $? >> 8, 0, "run.sh @$args[1, 2]: refused";
        like $said, $words, "run.sh @$args[1, 2]: says why";
        close $out;
    }
}

$t->finish;
