# SPDX-License-Identifier: GPL-3.0-or-later
#
# The shared executor of Mesos: follows sessions.pl.
#
# It talks with its agent over the v1 executor API (Mesos' docs/executor-http-api.md).
# One connection carries the agent's events, another one the calls.  A task begins
# once the agent has stored that it is running: so a task whose framework has not
# heard that it was running has never run.

my $output_limit = 1 << 16;  # bytes of each file that the last update carries
my $idle_limit = 60;         # seconds without a task after which it ends
my %subscribed_with;         # the uuids of the updates that the last SUBSCRIBE carried
my %update;                  # updates that are not acknowledged, by uuid
my %number;                  # their numbers, by uuid
my $updates = 0;             # how many there were
my ($events, $calls);
my @unanswered;              # calls
my ($subscribed, $ending);
my ($subscribe_at, $give_up_at, $idle_since) = (0, undef, 0);

my %unit = (ns => 1e-9, us => 1e-6, ms => 1e-3, secs => 1, mins => 60, hrs => 3600,
            days => 86400, weeks => 604800);

sub seconds {
    my ($name, $default) = @_;
    return $default unless ($ENV{$name} // '') =~ /^([\d.]+)([a-z]+)$/ && $unit{$2};
    return $1 * $unit{$2};
}

sub uuid {
    open(my $random, '<:raw', '/dev/urandom') or die "/dev/urandom: $!\n";
    sysread($random, my $bytes, 16) == 16 or die "/dev/urandom: $!\n";
    # Version 4 and the variant of RFC 4122, which agents want.
    substr($bytes, 6, 1) = chr(ord(substr($bytes, 6, 1)) & 0x0f | 0x40);
    substr($bytes, 8, 1) = chr(ord(substr($bytes, 8, 1)) & 0x3f | 0x80);
    return to_base64($bytes);
}

sub call {
    my ($type, %fields) = @_;
    return to_json({ type => $type, framework_id => { value => $ENV{MESOS_FRAMEWORK_ID} },
                     executor_id => { value => $ENV{MESOS_EXECUTOR_ID} }, %fields });
}

sub http_request {
    my ($body) = @_;
    my $token = $ENV{MESOS_EXECUTOR_AUTHENTICATION_TOKEN};
    # The only path that a domain socket has (executor.cpp).
    my $path = ($ENV{MESOS_SLAVE_PID} // '') =~ /^([^@]+)@/ ? "/$1/api/v1/executor" : '/api/v1/executor';
    return join("\r\n", "POST $path HTTP/1.1",
                "Host: $ENV{MESOS_AGENT_ENDPOINT}", 'Content-Type: application/json',
                'Accept: application/json', 'Content-Length: ' . length($body),
                defined $token ? "Authorization: Bearer $token" : (), '', $body);
}

sub connect_to_agent {
    my $path = $ENV{MESOS_DOMAIN_SOCKET};
    if (defined $path) {
        require IO::Socket::UNIX;
        return IO::Socket::UNIX->new(Peer => $path);
    }
    require IO::Socket::IP;
    my ($host, $port) = $ENV{MESOS_AGENT_ENDPOINT} =~ /^\[?(.*?)\]?:(\d+)$/
        or die "MESOS_AGENT_ENDPOINT is no address: $ENV{MESOS_AGENT_ENDPOINT}\n";
    return IO::Socket::IP->new(PeerHost => $host, PeerPort => $port);
}

sub update {
    my ($id, $state, %fields) = @_;
    my $uuid = uuid();
    $number{$uuid} = $updates++;
    $update{$uuid} = { status => {
        task_id => { value => $id }, state => $state, uuid => $uuid,
        source => 'SOURCE_EXECUTOR', executor_id => { value => $ENV{MESOS_EXECUTOR_ID} },
        timestamp => \(my $time = time()), %fields } };
    send_call(call('UPDATE', update => $update{$uuid})) if $subscribed;
    return $uuid;
}

# The uuids of the updates that are not acknowledged, in order.
sub unacknowledged { return sort { $number{$a} <=> $number{$b} } keys %update }

sub send_call {
    my ($body) = @_;
    unless ($calls && $calls->{socket}) {
        my $socket = connect_to_agent() or return unsubscribe();
        $calls = add_connection($socket, \&take_responses, \&resend_calls);
    }
    push @unanswered, $body;
    $calls->{out} .= http_request($body);
}

# The agent has closed the connection of the calls, as it may.
sub resend_calls {
    my @again = splice(@unanswered);
    if ($subscribed) { send_call($_) for @again }
}

sub take_responses {
    my ($connection) = @_;
    while ($connection->{in} =~ /^HTTP\/1\.1 (\d+)(.*?)\r\n\r\n/s) {
        my ($status, $head, $from) = ($1, $2, $+[0]);
        my ($length) = $head =~ /\r\ncontent-length: *(\d+)/i;
        $length //= 0;
        return if length $connection->{in} < $from + $length;
        my $text = substr($connection->{in}, $from, $length);
        substr($connection->{in}, 0, $from + $length) = '';
        shift @unanswered;
        next if $status == 202;
        print STDERR "The agent has refused a call: $status $text\n";
        # An agent that restarts has not recovered yet; another refusal is final.
        give_up('The agent refuses what it is told') if $status != 503;
        return unsubscribe();
    }
}

sub subscribe {
    my $socket = connect_to_agent();
    return unsubscribe() unless $socket;
    $events = add_connection($socket, \&take_event_stream, \&unsubscribe);
    my @tasks = map { $_->{info} } grep { $_->{info} } values %tasks;
    $events->{out} = http_request(call('SUBSCRIBE', subscribe => {
        unacknowledged_tasks => \@tasks,
        unacknowledged_updates => [map { $update{$_} } unacknowledged()] }));
    %subscribed_with = map { $_ => 1 } keys %update;
    $subscribe_at = undef;
}

# Without checkpoints an agent that has restarted does not know its executors.
sub unsubscribe {
    for my $connection (grep { $_ && $_->{socket} } $events, $calls) {
        close_connection($connection);
    }
    @unanswered = ();
    if ($ending || ($subscribed && !$ENV{MESOS_CHECKPOINT})) {
        give_up('The agent has closed the connection');
    }
    $give_up_at //= now() + seconds('MESOS_RECOVERY_TIMEOUT', 900);
    $subscribed = 0;
    $subscribe_at = now() + rand(seconds('MESOS_SUBSCRIPTION_BACKOFF_MAX', 2) / 2);
}

sub give_up {
    my ($why) = @_;
    print STDERR "$why; the executor ends\n";
    kill 'KILL', map { -$_->{process} } grep { $_->{process} } values %tasks;
    exit 1;
}

# Takes the chunks of the response, and the records of the chunks (RecordIO).
sub take_event_stream {
    my ($connection) = @_;
    unless (defined $connection->{records}) {
        return unless $connection->{in} =~ s/^HTTP\/1\.1 (\d+).*?\r\n\r\n//s;
        if ($1 != 200) {
            print STDERR "The agent has refused the subscription: $1\n";
            give_up('The subscription is not allowed') if $1 == 401 || $1 == 403;
            return unsubscribe();
        }
        $connection->{records} = '';
    }
    while ($connection->{in} =~ /^([0-9a-fA-F]+)[^\n]*\n/) {
        my ($from, $length) = ($+[0], hex $1);
        return if length $connection->{in} < $from + $length + 2;
        return unsubscribe() if $length == 0;
        $connection->{records} .= substr($connection->{in}, $from, $length);
        substr($connection->{in}, 0, $from + $length + 2) = '';
        while ($connection->{records} =~ /^(\d+)\n/ && length $connection->{records} >= $+[0] + $1) {
            my $record = substr($connection->{records}, $+[0], $1);
            substr($connection->{records}, 0, $+[0] + $1) = '';
            take_event(from_json($record));
            return unless $connection->{socket};
        }
    }
}

sub take_event {
    my ($event) = @_;
    my $type = $event->{type};
    if ($type eq 'SUBSCRIBED') {
        $subscribed = 1;
        $give_up_at = undef;
        for my $uuid (grep { !$subscribed_with{$_} } unacknowledged()) {
            send_call(call('UPDATE', update => $update{$uuid}));
        }
    }
    elsif ($type eq 'LAUNCH') { launch($event->{launch}{task}) }
    elsif ($type eq 'KILL') { kill_task($event->{kill}{task_id}{value}) }
    elsif ($type eq 'ACKNOWLEDGED') { acknowledged($event->{acknowledged}) }
    elsif ($type eq 'SHUTDOWN') { shut_down() }
    elsif ($type eq 'ERROR') { give_up($event->{error}{message}) }
}

sub launch {
    my ($info) = @_;
    my $id = $info->{task_id}{value};
    return if $tasks{$id};
    my $spec = eval { from_json(from_base64($info->{data} // '')) };
    my $directory = "$ENV{MESOS_SANDBOX}/tasks/$id";
    unless ($spec && (mkdir("$ENV{MESOS_SANDBOX}/tasks") || 1) && mkdir($directory, 0700)) {
        update($id, 'TASK_FAILED', message => 'The directory of the task cannot be made: ' . ($@ || $!));
        return;
    }
    $spec->{sandbox} = $directory;
    $spec->{session}{directory} = "$ENV{MESOS_SANDBOX}/session" if $spec->{session};
    @{ $spec->{environment} }{qw(MESOS_SANDBOX MESOS_DIRECTORY MESOS_TASK_ID)} = ($directory, $directory, $id);
    $tasks{$id} = { info => $info, spec => $spec, running => update($id, 'TASK_RUNNING') };
}

sub acknowledged {
    my ($acknowledged) = @_;
    my ($id, $uuid) = ($acknowledged->{task_id}{value}, $acknowledged->{uuid});
    delete $number{$uuid};
    delete $update{$uuid} or return;
    my $task = $tasks{$id} or return;
    return unless delete $task->{info};
    if ($task->{unwanted}) {
        delete $tasks{$id};
        update($id, 'TASK_KILLED', message => never_begun('Killed before it was started', $task));
    }
    elsif (!eval { start_task($id, $task->{spec}); 1 }) {
        delete $tasks{$id};
        update($id, 'TASK_FAILED', message => never_begun("The task cannot be started: $@", $task));
    }
}

# A session that was to begin with a task has not.
sub never_begun {
    my ($message, $task) = @_;
    my $session = $task->{spec}{session};
    return $message unless $session && ${ $session->{begins} } eq 'true';
    return "$message; its session has ended";
}

sub kill_task {
    my ($id) = @_;
    my $task = $tasks{$id} or return;
    return if $task->{unwanted}++;
    return if $task->{info};
    update($id, 'TASK_KILLING');
    stop_task($task, 'killed');
}

sub shut_down {
    $ending = now() + seconds('MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD', 5) - 1;
    kill_task($_) for keys %tasks;
}

sub start_of_file {
    my ($name) = @_;
    return ('', 0) unless -f $name;
    open(my $file, '<:raw', $name) or return ('', 0);
    read($file, my $start, $output_limit);
    return ($start // '', -s $file);
}

# The data of the last update: a line with a JSON object, then what the task has
# written to stdout and to stderr, each up to the limit.
sub report {
    my ($task) = @_;
    my ($out, $out_size) = start_of_file("$task->{spec}{sandbox}/stdout");
    my ($err, $err_size) = start_of_file("$task->{spec}{sandbox}/stderr");
    my %sizes = (stdout => length $out, stdout_size => $out_size,
                 stderr => length $err, stderr_size => $err_size);
    my %fields = map { my $n = $sizes{$_}; $_ => \$n } keys %sizes;
    return to_base64(to_json({ %fields, usage => usage_words($task) }) . "\n$out$err");
}

my @signals = ('Unknown signal 0', 'Hangup', 'Interrupt', 'Quit', 'Illegal instruction',
               'Trace/breakpoint trap', 'Aborted', 'Bus error', 'Floating point exception',
               'Killed', 'User defined signal 1', 'Segmentation fault',
               'User defined signal 2', 'Broken pipe', 'Alarm clock', 'Terminated');

sub ended {
    my ($id, $task) = @_;
    my $signal = $task->{status} & 127;
    my $message = $signal ? 'Command terminated with signal ' . ($signals[$signal] // "Unknown signal $signal")
                          : 'Command exited with status ' . ($task->{status} >> 8);
    # The scheduler looks for these words.
    $message .= '; its session has ended' if $task->{over};
    my $state = $task->{why} eq 'killed' ? 'TASK_KILLED'
              : $task->{status} == 0 && $task->{why} eq '-' ? 'TASK_FINISHED' : 'TASK_FAILED';
    update($id, $state, message => $message, data => report($task),
           $task->{why} eq 'timeout' ? (reason => 'REASON_MAX_COMPLETION_TIME_REACHED') : ());
}

sub execute_for_mesos {
    for (qw(MESOS_FRAMEWORK_ID MESOS_EXECUTOR_ID MESOS_SANDBOX MESOS_AGENT_ENDPOINT)) {
        die "$_ is not set; this program is to be started by a Mesos agent\n" unless defined $ENV{$_};
    }
    die "The agent wants TLS, which Perl alone cannot speak\n"
        if !defined $ENV{MESOS_DOMAIN_SOCKET} && ($ENV{LIBPROCESS_SSL_ENABLED} // '') =~ /^(1|true)$/;
    %environment = %ENV;
    delete $environment{MESOS_EXECUTOR_AUTHENTICATION_TOKEN};
    $on_started = sub { };
    $on_ended = \&ended;
    $on_turn = sub {
        my $now = now();
        $idle_since = $now if %tasks || %update || %sessions;
        exit 0 if $ending && !%tasks && !%update;
        give_up('The time for the shutdown is over') if $ending && $now > $ending;
        exit 0 if $subscribed && $now - $idle_since > $idle_limit;
        give_up('The agent has not come back') if defined $give_up_at && $now > $give_up_at;
        return undef unless defined $subscribe_at;
        return $subscribe_at - $now if $subscribe_at > $now;
        subscribe();
        return 0;
    };
    $idle_since = now();
    run();
}

execute_for_mesos();
