#!/usr/bin/perl

# A library that is missing ends nginx's configure with a line that names it
# and the Debian package that brings it.

use strict;
use warnings;

use Cwd qw(getcwd);
use File::Path qw(make_path);
use File::Temp;
use Test::More;

my %package = (
    'lmdb.h'               => 'liblmdb-dev',
    'yaml.h'               => 'libyaml-dev',
    'libxml/xmlwriter.h'   => 'libxml2-dev',
    'utf8proc.h'           => 'libutf8proc-dev',
    'xxhash.h'             => 'libxxhash-dev',
    'md4c.h'               => 'libmd4c-dev',
    'jansson.h'            => 'libjansson-dev',
    'uuid/uuid.h'          => 'uuid-dev',
);

my $source = $ENV{NGX_SRC} || '/usr/share/nginx/src';
my $root = getcwd();
my $temp = File::Temp->newdir();
my $dir = "$temp/nginx";

make_path($dir);
symlink("$source/$_", "$dir/$_") or die "$_: $!" for qw(auto src configure);
symlink($root, "$temp/module") or die $!;

plan tests => 3 * keys %package;

for my $header (sort keys %package) {

    # a compiler for which this header does not exist

    open(my $cc, '>', "$temp/cc") or die $!;
    print $cc <<"END";
#!/bin/sh
for a; do
    case \$a in
    *.c) grep -q '<$header>' "\$a" && exit 1 ;;
    esac
done
exec cc "\$@"
END
    close($cc);
    chmod(0755, "$temp/cc");

    my $out = `cd $dir && ./configure --with-compat --with-cc=$temp/cc \\
        --without-http_rewrite_module --without-http_gzip_module \\
        --add-dynamic-module=../module 2>&1`;

    isnt($?, 0, "configure fails without $header");
    like($out, qr/needs \S+/, 'says what is needed');
    like($out, qr/apt-get install $package{$header}\b/,
        "and which package brings it");
}
