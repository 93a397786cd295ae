;;; ob-mesos-interpreter.el --- The interpreters of sessions  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A session on a cluster is one interpreter that runs several blocks.  For
;; each language there is a command that starts the interpreter.  The
;; interpreter reads requests from standard input; each request is a line
;; with the directory of a task.  It runs the file .block in the directory,
;; appends the output to the files stdout and stderr there, and writes the
;; exit status to file descriptor 3.  Its state is kept between requests.
;; SIGINT interrupts the block, but does not end the interpreter.
;;
;; Blocks have the same results as in a session of their Babel library: for
;; `:results value', the value of the last expression.

;;; Code:

(require 'cl-lib)
(require 'json)
(require 'ob)
(require 'ob-mesos-args)
(require 'ob-mesos-fetch)

(declare-function org-babel-python-format-session-value "ob-python"
                  (src-file result-file result-params))
(declare-function org-babel-variable-assignments:python "ob-python" (params))
(declare-function org-babel-variable-assignments:shell "ob-shell" (params))
(declare-function org-babel-variable-assignments:ruby "ob-ruby" (params))
(declare-function org-babel-expand-body:R "ob-R" (body params &optional graphics-file))
(declare-function org-babel-R-construct-graphics-device-call "ob-R" (out-file params))
(declare-function org-babel-variable-assignments:octave "ob-octave" (params))

(defvar org-babel-python--def-format-value)
(defvar org-babel-python--output-graphics-wrapper)
(defvar org-babel-octave-shell-command)
(defvar org-babel-octave-wrapper-method)
(defvar org-babel-R-write-object-command)
(defvar org-babel-shell-results-defaults-to-output)

(cl-defstruct (ob-mesos--interpreter (:constructor ob-mesos--interpreter-make)
                                     (:copier nil))
  "An interpreter for sessions, and what a block is for it."
  (command nil :documentation "Words that start it.")
  (request "%s" :documentation "The line that makes it run a block; %s is the directory.")
  (body nil :documentation "The text to run.")
  (value nil :documentation "Non-nil if that writes its value into a file."))

(defconst ob-mesos--task-directory "/ob-mesos-task-directory/"
  "What stands for the directory of the task in the text to run.")

(defconst ob-mesos--value-file (concat ob-mesos--task-directory ".ob-mesos-value")
  "The file that the text to run writes its value into.")

(cl-defgeneric ob-mesos-interpreter (lang body params)
  "Return the `ob-mesos--interpreter' for BODY, of LANG, with PARAMS.
LANG is a symbol; methods for it add a language to those that have
sessions.  BODY is not expanded.  If PARAMS is nil, BODY is a line of a
REPL.")

(cl-defmethod ob-mesos-interpreter (lang _body _params)
  "Signal that LANG has no sessions."
  (user-error "A block of %s on a cluster has no session; those of %s can have one"
              lang "python, R, octave, ruby, sh and bash"))

(defun ob-mesos--graphics-file (params)
  "Return the file that the graphics of a block with PARAMS are for, or nil."
  (and (member "graphics" (cdr (assq :result-params params)))
       (org-babel-graphical-output-file params)))

(defun ob-mesos--value-p (params)
  "Return non-nil if PARAMS ask for the value of the last expression."
  (and (eq 'value (cdr (assq :result-type params)))
       (not (ob-mesos--graphics-file params))))

(defun ob-mesos--literal (text)
  "Return TEXT as a string literal of Python, R and Ruby."
  (let ((json (json-encode-string text)))
    ;; Ruby expands #{...}.
    (replace-regexp-in-string "#" "\\u0023" json t t)))

;;;; Python

(defconst ob-mesos--python-program "\
def ob_mesos_session():
    import os, select, signal, sys, traceback, types
    module = types.ModuleType('__main__')
    sys.modules['__main__'] = module
    requests = os.fdopen(os.dup(0), 'rb', 0)
    answers = os.fdopen(os.dup(3), 'w')
    os.close(3)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    own = [os.dup(1), os.dup(2)]
    process = os.getpid()
    requested = interrupted = False

    def interrupt(number, frame):
        # A request that was not read yet is meant too.
        nonlocal interrupted
        interrupted = requested or bool(select.select([requests], [], [], 0)[0])

    def redirect(files):
        sys.stdout.flush()
        sys.stderr.flush()
        for target, file in enumerate(files, 1):
            os.dup2(file, target)

    def report():
        # Without the frame of this program.
        kind, value, frames = sys.exc_info()
        traceback.print_exception(kind, value, frames.tb_next)

    def execute(directory):
        try:
            with open(directory + '/.block', encoding='utf-8') as file:
                text = file.read()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if interrupted:
                raise KeyboardInterrupt
            exec(compile(text, '<block>', 'exec'), module.__dict__)
            return 0
        except SystemExit as end:
            if end.code is None or isinstance(end.code, int):
                return (end.code or 0) & 255
            print(end.code, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            report()
            return 130
        except BaseException:
            report()
            return 1

    def run(directory):
        files = [os.open(directory + name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                 for name in ('/stdout', '/stderr')]
        redirect(files)
        try:
            status = execute(directory)
            signal.signal(signal.SIGINT, interrupt)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, interrupt)
            status = 130
        redirect(own)
        for file in files:
            os.close(file)
        return status

    signal.signal(signal.SIGINT, interrupt)
    while True:
        select.select([requests], [], [])
        requested = True
        request = requests.readline()
        if not request:
            os._exit(0)
        status = run(os.fsdecode(request[:-1]))
        if os.getpid() != process:
            # A block has forked; its child has no part in the session.
            os._exit(status)
        requested = interrupted = False
        answers.write('%d\\n' % status)
        answers.flush()

ob_mesos_session()
"
  "The program of a Python session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql python)) body params)
  "Return the interpreter for BODY, of Python, with PARAMS."
  (require 'ob-python)
  (let ((full (if params
                  (concat (org-babel-expand-body:generic
                           body params (org-babel-variable-assignments:python params))
                          (when-let ((return (and (ob-mesos--value-p params)
                                                  (cdr (assq :return params)))))
                            (concat "\n" return)))
                (format "exec(compile(%s, '<repl>', 'single'))"
                        (ob-mesos--literal (concat body "\n")))))
        (source (concat ob-mesos--task-directory ".ob-mesos-source"))
        (graphics (ob-mesos--graphics-file params)))
    (when (and graphics (not (boundp 'org-babel-python--output-graphics-wrapper)))
      (user-error "Python blocks make graphics from Org 9.7 on"))
    (ob-mesos--interpreter-make
     :command (append (split-string-and-unquote
                       (or (cdr (assq :python params)) "python3"))
                      (list "-u" "-c" ob-mesos--python-program))
     :value (ob-mesos--value-p params)
     :body
     (if (eq 'value (cdr (assq :result-type params)))
         (concat
          (and (boundp 'org-babel-python--def-format-value)
               (concat org-babel-python--def-format-value "\n"))
          (format "with open('%s', 'w', encoding='utf-8') as __org_babel_python_tmpfile:
    __org_babel_python_tmpfile.write(%s)\n"
                  source (ob-mesos--literal full))
          (let* ((file (if graphics (expand-file-name graphics) ob-mesos--value-file))
                 (code (org-babel-python-format-session-value
                        source file (cdr (assq :result-params params)))))
            (if graphics (string-replace file graphics code) code)))
       (if graphics
           (format org-babel-python--output-graphics-wrapper full graphics)
         full)))))

;;;; Shells

(defun ob-mesos--shell-body (shell body params)
  "Return BODY with PARAMS as SHELL, a string, is to run it."
  (require 'ob-shell)
  (if (null params)
      body
    (let ((shell-file-name shell))
      (org-babel-expand-body:generic
       (concat body
               (and (member "value" (cdr (assq :result-params params)))
                    (not (cdr (assq :lang params)))
                    "\necho $?"))
       params (org-babel-variable-assignments:shell params)))))

(defconst ob-mesos--bash
  "exec env PS1= PS2= HISTFILE= \
ob_mesos_prompt='[ -z \"$ob_mesos_runs\" ] || { ob_mesos_runs=; echo 130 >&3; }' \
bash %s --norc --noprofile --noediting -i +H"
  "A shell command that starts bash for a session; %s is more options.
An interactive bash goes on after SIGINT, without the rest of the line;
then only, PROMPT_COMMAND answers.")

(defconst ob-mesos--shell-request
  "PROMPT_COMMAND=$ob_mesos_prompt; ob_mesos_runs=1; \
command . \"%s/.block\" >>\"%s/stdout\" 2>>\"%s/stderr\" </dev/null 3>&-; \
ob_mesos_status=$?; ob_mesos_runs=; PROMPT_COMMAND=$ob_mesos_prompt; echo $ob_mesos_status >&3"
  "The line that makes a shell run a block.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql bash)) body params)
  "Return the interpreter for BODY, of bash, with PARAMS."
  (ob-mesos--interpreter-make
   :command (list "sh" "-c" (format ob-mesos--bash ""))
   :request ob-mesos--shell-request
   :body (ob-mesos--shell-body "bash" body params)))

(cl-defmethod ob-mesos-interpreter ((_lang (eql sh)) body params)
  "Return the interpreter for BODY, of sh, with PARAMS.
It is bash in POSIX mode where there is one: another shell cannot stop a
block without running the rest of it, so that SIGINT ends the session."
  (ob-mesos--interpreter-make
   :command (list "sh" "-c"
                  (concat "if command -v bash >/dev/null; then " (format ob-mesos--bash "--posix") "; fi
trap 'exit 130' INT
while IFS= read -r ob_mesos_line; do eval \"$ob_mesos_line\"; done"))
   :request ob-mesos--shell-request
   :body (ob-mesos--shell-body "sh" body params)))

(cl-defmethod ob-mesos-interpreter ((_lang (eql shell)) body params)
  "Return the interpreter for BODY, of the language shell, with PARAMS."
  (ob-mesos-interpreter 'sh body params))

;;;; R

(defconst ob-mesos--R-program "\
local({
  requests <- file('stdin', 'r')
  answers <- file('/dev/fd/3', 'w')
  options(warn = 1, echo = FALSE)
  run <- function(task) {
    out <- file(file.path(task, 'stdout'), 'a')
    err <- file(file.path(task, 'stderr'), 'a')
    sink(out)
    sink(err, type = 'message')
    on.exit({
      sink(type = 'message')
      sink()
      close(out)
      close(err)
    })
    tryCatch({
      allowInterrupts(source(file.path(task, '.block'), local = globalenv(),
                             print.eval = TRUE, encoding = 'UTF-8'))
      0L
    }, interrupt = function(e) 130L, error = function(e) {
      message('Error: ', conditionMessage(e))
      1L
    })
  }
  # Compiling the functions above takes long enough to be interrupted.
  suspendInterrupts(repeat {
    task <- NULL
    tryCatch(allowInterrupts(task <- readLines(requests, 1)), interrupt = function(e) NULL)
    if (is.null(task)) next
    if (length(task) == 0) quit('no')
    status <- run(task)
    cat(status, '\\n', sep = '', file = answers)
    flush(answers)
  })
})
"
  "The program of an R session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql R)) body params)
  "Return the interpreter for BODY, of R, with PARAMS."
  (require 'ob-R)
  (let ((full (if params (org-babel-expand-body:R body params) body))
        (columns (equal "yes" (cdr (assq :colnames params))))
        (rows (equal "yes" (cdr (assq :rownames params))))
        (graphics (ob-mesos--graphics-file params)))
    (ob-mesos--interpreter-make
     :command (list "Rscript" "--vanilla" "-e" ob-mesos--R-program)
     :value (ob-mesos--value-p params)
     :body
     (cond
      (graphics
       (concat (org-babel-R-construct-graphics-device-call graphics params)
               "\n" full "
}, error = function(e) { dev.off(); stop(e) })
invisible(dev.off())"))
      ((ob-mesos--value-p params)
       (format org-babel-R-write-object-command
               (if rows "TRUE" "FALSE")
               (cond ((not columns) "FALSE") (rows "NA") (t "TRUE"))
               (format "{eval(parse(text=%s, encoding='UTF-8'), envir=globalenv())}"
                       (ob-mesos--literal full))
               ob-mesos--value-file))
      (t full)))))

;;;; Octave

(defconst ob-mesos--octave-program "\
function ob_mesos_run (task)
  status = 130;
  files = [fopen([task '/stdout'], 'a'), fopen([task '/stderr'], 'a')];
  unwind_protect
    dup2 (files(1), stdout);
    dup2 (files(2), stderr);
    try
      evalin ('base', fileread ([task '/.block']));
      status = 0;
    catch err
      fprintf (stderr, 'error: %s\\n', err.message);
      status = 1;
    end_try_catch
  unwind_protect_cleanup
    fflush (stdout);
    files(3) = fopen ('/dev/null', 'a');
    dup2 (files(3), stdout);
    dup2 (files(3), stderr);
    files(4) = fopen ('/dev/fd/3', 'w');
    fprintf (files(4), '%d\\n', status);
    arrayfun (@fclose, files);
  end_unwind_protect
endfunction
"
  "The program of an Octave session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql octave)) body params)
  "Return the interpreter for BODY, of Octave, with PARAMS."
  (require 'ob-octave)
  (let ((full (if params
                  (org-babel-expand-body:generic
                   body params (org-babel-variable-assignments:octave params))
                body))
        (graphics (ob-mesos--graphics-file params)))
    (ob-mesos--interpreter-make
     :command (append (split-string-and-unquote org-babel-octave-shell-command)
                      (list "--no-line-editing" "--eval" ob-mesos--octave-program
                            "--persist"))
     :request "ob_mesos_run ('%s');"
     :value (ob-mesos--value-p params)
     :body
     (cond
      (graphics
       (format "set (0, 'defaultfigurevisible', 'off');\n%s\nprint ('-dpng', '%s');"
               full graphics))
      ((ob-mesos--value-p params)
       (format org-babel-octave-wrapper-method full
               ob-mesos--value-file ob-mesos--value-file))
      (t full)))))

;;;; Ruby

(defconst ob-mesos--ruby-program "\
requests = $stdin.dup
answers = IO.for_fd(3, 'w')
answers.sync = true
$stdin.reopen(File::NULL)
own = [$stdout.dup, $stderr.dup]
process = Process.pid
requested = interrupted = false
# A request that was not read yet is meant too.
interrupt = proc { interrupted = requested || !IO.select([requests], nil, nil, 0).nil? }
execute = lambda do |task|
  Signal.trap('INT', 'DEFAULT')
  raise Interrupt, '' if interrupted
  eval(File.read(task + '/.block', encoding: 'UTF-8'), TOPLEVEL_BINDING, '<block>')
  0
rescue Interrupt
  130
rescue SystemExit => e
  e.status
rescue Exception => e
  $stderr.puts e.full_message(highlight: false)
  1
end
Signal.trap('INT', interrupt)
loop do
  IO.select([requests])
  requested = true
  request = requests.gets
  exit!(0) unless request
  task = request.chomp
  $stdout.reopen(task + '/stdout', 'a')
  $stderr.reopen(task + '/stderr', 'a')
  $stdout.sync = $stderr.sync = true
  status = begin
    result = execute.call(task)
    Signal.trap('INT', interrupt)
    result
  rescue Interrupt
    Signal.trap('INT', interrupt)
    130
  end
  exit!(status) if Process.pid != process
  $stdout.reopen(own[0])
  $stderr.reopen(own[1])
  requested = interrupted = false
  answers.puts(status)
end
"
  "The program of a Ruby session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql ruby)) body params)
  "Return the interpreter for BODY, of Ruby, with PARAMS."
  (require 'ob-ruby)
  (let ((full (if params
                  (org-babel-expand-body:generic
                   body params (org-babel-variable-assignments:ruby params))
                (format "p eval(%s, TOPLEVEL_BINDING)" (ob-mesos--literal body)))))
    (ob-mesos--interpreter-make
     :command (list (or (cdr (assq :ruby params)) "ruby") "-e" ob-mesos--ruby-program)
     :value (ob-mesos--value-p params)
     :body
     (if (ob-mesos--value-p params)
         (format "value = eval(%s, TOPLEVEL_BINDING)
File.write('%s', %s)"
                 (ob-mesos--literal full) ob-mesos--value-file
                 (if (member "pp" (cdr (assq :result-params params)))
                     "(require 'pp'; value.pretty_inspect)"
                   "value.class == String ? value : value.inspect"))
       full))))

;;;; Blocks

(defun ob-mesos--session (params)
  "Return the name of the session of PARAMS, or nil if they have none.
`:session' without a name is the session of the default name."
  (when-let ((argument (assq :session params)))
    (let ((name (cdr argument)))
      (cond ((equal name "none") nil)
            ((memq name '(nil t)) "default")
            ((equal name "") "default")
            (t (format "%s" name))))))

(defun ob-mesos--session-language (lang params)
  "Return the language, a symbol, in which a block of LANG with PARAMS is written."
  (intern (if (equal lang "mesos")
              (format "%s" (or (cdr (assq :lang params)) "sh"))
            lang)))

(defun ob-mesos--check-session (lang params)
  "Signal a `user-error' if a block of LANG with PARAMS cannot have its session."
  (when (ob-mesos--session params)
    (dolist (argument '(:files :keep :stdin :cmdline :shebang :foreach :instances :image
                        :dockerimage))
      (when (assq argument params)
        (user-error "`%s' is for a process of a block's own, and this block has a session"
                    argument)))
    (ob-mesos-interpreter (ob-mesos--session-language lang params) ""
                          '((:result-type . output)))))

(defun ob-mesos--session-item (lang interpreter params)
  "Return the session of a block of LANG with PARAMS, for the server.
INTERPRETER is its `ob-mesos--interpreter'."
  (list :name (format "%s/%s" (ob-mesos--session-language lang params)
                      (ob-mesos--session params))
        :request (ob-mesos--interpreter-request interpreter)
        :value (if (ob-mesos--interpreter-value interpreter) t :json-false)
        :files (vconcat (seq-filter #'ob-mesos--below-p
                                    (mapcar #'car (ob-mesos--wanted-files params))))))

(provide 'ob-mesos-interpreter)
;;; ob-mesos-interpreter.el ends here
