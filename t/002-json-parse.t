#!/usr/bin/perl

# The JSON scanner against JSON.parse() of Node, which is what clients live
# by.  The comparison itself, and its TAP, is t/unit/json_parse.js.

use strict;
use warnings;

my $driver = ($ENV{KZ_UNIT_DIR} || 'build/unit') . '/json_driver';

sub skip_all {
    print "1..0 # SKIP $_[0]\n";
    exit 0;
}

skip_all("no $driver") if !-x $driver;
skip_all('no node') if system('node --version >/dev/null 2>&1') != 0;

exec 'node', 't/unit/json_parse.js', $driver or die "cannot run node: $!\n";
