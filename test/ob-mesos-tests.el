;;; ob-mesos-tests.el --- Emacs, the server and real processes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; One server for the whole run, with a state directory of its own.

;;; Code:

(require 'ert)
(require 'ob-mesos)
(require 'ob-mesos-export)
(require 'ob-shell)

(ob-mesos-global-mode)

(setq org-confirm-babel-evaluate nil
      ob-mesos-server-arguments
      (list "--state-dir" (make-temp-file "ob-mesos-test" t)))

(defun ob-mesos-tests--end-sessions ()
  "End the sessions that tests have begun: they outlive Emacs and the server."
  (let ((state (cadr (member "--state-dir" ob-mesos-server-arguments))))
    (dolist (pid (list-system-processes))
      (let ((words (alist-get 'args (process-attributes pid))))
        (when (and words (string-search state words)
                   (string-search "supervisor.pl" words))
          (signal-process pid 'TERM))))))

(add-hook 'kill-emacs-hook #'ob-mesos-tests--end-sessions 90)

(defmacro ob-mesos-tests--with (text &rest body)
  "In an Org buffer with TEXT, point at its start, run BODY.
What it leaves running because it fails does not disturb other tests."
  (declare (indent 1))
  `(with-temp-buffer
     (org-mode)
     (buffer-enable-undo)
     (insert ,text)
     (setq buffer-undo-list nil)
     (goto-char (point-min))
     (let ((inhibit-message t) (passed nil))
       (unwind-protect
           (prog1 (progn ,@body)
             (setq passed t))
         (unless passed
           (ob-mesos-tests--end-all))))))

(defun ob-mesos-tests--end-all ()
  "Kill what runs, and know of nothing any more."
  (dolist (task (ob-mesos--running))
    (ob-mesos--request (ob-mesos-task-server task) :task/kill
                       (list :ids (vector (ob-mesos-task-id task)))
                       #'ignore #'ignore))
  (clrhash ob-mesos--tasks)
  (setq ob-mesos--waiting-tasks nil))

(defvar ob-mesos-tests--patience (if (getenv "OB_MESOS_TEST_MASTER") 300 30)
  "Seconds to wait at most for anything; a cluster can have much to do.")

(defun ob-mesos-tests--wait (condition)
  "Wait until CONDITION holds; fail if our patience is at an end."
  (with-timeout (ob-mesos-tests--patience
                 (ert-fail (list "waited in vain"
                                 (truncate-string-to-width
                                  (buffer-substring-no-properties
                                   (point-min) (point-max))
                                  3000))))
    (ob-mesos--wait condition)))

(defmacro ob-mesos-tests--with-file (text &rest body)
  "Visit a file with TEXT and run BODY there; `file' is its name."
  (declare (indent 1))
  `(let* ((directory (make-temp-file "ob-mesos" t))
          (file (expand-file-name "a.org" directory)))
     (write-region ,text nil file nil 'silent)
     (let ((inhibit-message t)
           (buffer (find-file-noselect file)))
       (unwind-protect
           (with-current-buffer buffer
             (goto-char (point-min))
             ,@body)
         (ob-mesos-tests--end-all)
         (with-current-buffer buffer (set-buffer-modified-p nil))
         (kill-buffer buffer)
         (delete-directory directory t)))))

(defun ob-mesos-tests--undo (&optional more)
  "Undo one step; MORE says that it follows another."
  (let ((last-command (if more 'undo 'ignore))
        (this-command 'undo)
        (inhibit-message t))
    (undo-boundary)
    (undo)
    ;; As the command loop does.
    (run-hooks 'post-command-hook)
    (undo-boundary))
  (setq last-command 'undo))

(defun ob-mesos-tests--settle ()
  "Wait until no task runs."
  (ob-mesos-tests--wait (lambda () (null (ob-mesos--running)))))

(defun ob-mesos-tests--go (string)
  "Go to the beginning of the line with the next STRING."
  (goto-char (point-min))
  (search-forward string)
  (beginning-of-line))

(defun ob-mesos-tests--block (header body)
  "A mesos block with HEADER and BODY."
  (concat "#+begin_src mesos " header "\n" body "\n#+end_src\n"))

(defun ob-mesos-tests--results ()
  "What stands below the results keyword."
  (save-excursion
    (goto-char (point-min))
    (re-search-forward "^[ \t]*#\\+RESULTS.*\n")
    (buffer-substring-no-properties (point) (point-max))))

(defun ob-mesos-tests--run (header body)
  "The results of a block with HEADER and BODY."
  (ob-mesos-tests--with (ob-mesos-tests--block header body)
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (ob-mesos-tests--results)))

(defun ob-mesos-tests--emacs (&rest words)
  "The words that start an Emacs without a terminal, with ob-mesos and WORDS."
  (append (list (expand-file-name invocation-name invocation-directory)
                "--batch" "-Q" "-L" ob-mesos--directory
                "--eval" "(require 'ob-mesos)")
          words))

(defmacro ob-mesos-tests--elsewhere (&rest body)
  "Run BODY, whose processes have a state directory of their own."
  (declare (indent 0))
  `(let ((process-environment
          (cons (concat "XDG_STATE_HOME=" (make-temp-file "ob-mesos" t))
                process-environment)))
     ,@body))

(defun ob-mesos-tests--call (command)
  "Run COMMAND, a list of words; return (STATUS STDOUT STDERR)."
  (let ((stderr (make-temp-file "stderr")))
    (unwind-protect
        (with-temp-buffer
          (list (apply #'call-process (car command) nil (list t stderr) nil
                       (cdr command))
                (buffer-string)
                (progn (erase-buffer)
                       (insert-file-contents stderr)
                       (buffer-string))))
      (delete-file stderr))))

;;;; From block to result

(ert-deftest ob-mesos-the-server-has-its-share-of-a-busy-machine ()
  (ob-mesos-tests--run "" "echo hi")
  (when (file-exists-p "/proc/self/autogroup")
    (dolist (server (ob-mesos--live-servers))
      (with-temp-buffer
        (insert-file-contents
         (format "/proc/%d/autogroup"
                 (process-id (jsonrpc--process (ob-mesos--server-connection server)))))
        (should (looking-at-p ".* nice 0$"))))))

(ert-deftest ob-mesos-a-block-gets-its-output-as-result ()
  (should (equal (ob-mesos-tests--run "" "echo hi") ": hi\n")))

(ert-deftest ob-mesos-the-placeholder-stands-at-once-and-bears-the-id ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":results output" "echo hi")
    (org-babel-execute-src-block)
    (should (string-match-p (concat "\\`: " ob-mesos--placeholder-regexp)
                            (ob-mesos-tests--results)))
    (ob-mesos-tests--settle)))

(ert-deftest ob-mesos-a-failure-says-how ()
  (let ((report (ob-mesos-tests--run "" "echo out; echo bad >&2; exit 3")))
    (dolist (words '("FAILED" "Command exited with status 3"
                     "exit status: 3" "bad" "out"))
      (should (string-search words report)))))

(ert-deftest ob-mesos-more-than-the-machine-has-is-an-error-not-a-wait ()
  (should (string-match-p "ERROR: The task fits on no agent: cpus: wants 1000, largest offer [0-9]"
                          (ob-mesos-tests--run ":cpus 1000" "echo hi"))))

(ert-deftest ob-mesos-as-many-last-lines-are-shown-as-the-block-says ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":tail 2"
                                               "echo a; echo b; echo c; sleep 1000")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (string-search "c" (ob-mesos-task-tail task))))
      (ob-mesos--show task)
      (should (string-match-p "\\`: mesos:.*\n: | b\n: | c\n\\'"
                              (ob-mesos-tests--results)))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-a-java-that-is-too-old-is-named-with-the-cure ()
  (let ((java (make-temp-file "java")) (ob-mesos--servers nil)
        (ob-mesos--tasks (make-hash-table :test #'equal)))
    (with-temp-file java
      (insert "#!/bin/sh\necho 'Exception in thread \"main\" \
java.lang.UnsupportedClassVersionError: 61.0' >&2; exit 1\n"))
    (set-file-modes java #o700)
    (let ((ob-mesos-java java))
      (should (string-match-p
               "ERROR: The server does not start: .*install 17 or newer"
               (ob-mesos-tests--run "" "echo hi"))))
    (delete-file java)))

(ert-deftest ob-mesos-a-signal-is-named ()
  (should (string-search "Command terminated with signal Killed"
                         (ob-mesos-tests--run "" "kill -9 $$"))))

(ert-deftest ob-mesos-variables-reach-the-block-in-its-language ()
  (should (equal (ob-mesos-tests--run ":lang python :var x=20" "print(x + 1)")
                 ": 21\n"))
  (should (equal (ob-mesos-tests--run ":var x=\"a b\"" "echo \"$x\"")
                 ": a b\n")))

(ert-deftest ob-mesos-a-remote-directory-is-refused ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":dir /mesos:block-x:/" "pwd")
    (should (string-search "`:dir' is a directory on the agent"
                           (cadr (let ((text-quoting-style 'grave))
                                   (should-error (ob-mesos-execute) :type 'user-error)))))))

(ert-deftest ob-mesos-environment-and-directory-are-obeyed ()
  (should (equal (ob-mesos-tests--run ":env A=1 B=two" "echo $A $B")
                 ": 1 two\n"))
  (let ((home (file-truename (expand-file-name "~"))))
    (dolist (executor '("own" "shared"))
      (dolist (case `(("~" . ,home) ("~/." . ,home) ("/usr" . "/usr")))
        (should (equal (format ": %s\n" (cdr case))
                       (ob-mesos-tests--run
                        (format ":executor %s :dir %s" executor (car case))
                        "pwd -P"))))
      (should (string-match-p "/sub\n\\'"
                              (ob-mesos-tests--run
                               (format ":executor %s :dir sub" executor) "pwd")))
      (should (string-search "No such file"
                             (ob-mesos-tests--run
                              (format ":executor %s :dir ~/ob-mesos-missing" executor)
                              "pwd")))))
  (should (string-search "home directory of another user"
                         (ob-mesos-tests--run ":dir ~root" "pwd"))))

(ert-deftest ob-mesos-a-call-has-its-result-at-its-own-place ()
  (ob-mesos-tests--with
      (concat "#+name: greet\n"
              (ob-mesos-tests--block ":var who=\"me\"" "echo hi $who")
              "\n#+call: greet(who=\"you\")\n\nend\n")
    (ob-mesos-tests--go "#+call")
    (org-babel-lob-execute-maybe)
    (ob-mesos-tests--settle)
    (should (string-match-p
             "#\\+call: greet(who=\"you\")\n\n#\\+RESULTS:\n: hi you\n\nend\n\\'"
             (buffer-string)))
    (should (= 1 (how-many "#\\+RESULTS" (point-min) (point-max))))))

(ert-deftest ob-mesos-a-reference-waits-for-the-value ()
  (ob-mesos-tests--with
      (concat "#+name: one\n" (ob-mesos-tests--block ":results table" "echo a 1; echo b 2")
              "\n#+begin_src emacs-lisp :var x=one\n(nth 1 (nth 1 x))\n#+end_src\n")
    (ob-mesos-tests--go "#+begin_src emacs-lisp")
    (should (equal (org-babel-execute-src-block) 2))))

(ert-deftest ob-mesos-wait-returns-with-the-result-in-place ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":wait yes" "echo hi")
    (org-babel-execute-src-block)
    (should (equal (ob-mesos-tests--results) ": hi\n"))))

(defconst ob-mesos-tests--kinds
  '("output" "output verbatim" "table" "output table" "list" "output list"
    "drawer" "output drawer" "raw" "output raw" "org" "html" "latex" "code"
    "output append" "output prepend" "scalar" "verbatim" "output replace")
  "Values of `:results' that are held against ob-shell.")

(ert-deftest ob-mesos-results-look-as-those-of-ob-shell ()
  (dolist (kind ob-mesos-tests--kinds)
    (let* ((body "echo a 1\necho b 2")
           (run (lambda (lang)
                  (ob-mesos-tests--with
                      (format "#+begin_src %s :results %s\n%s\n#+end_src\n"
                              lang (if (equal lang "sh")
                                       (if (string-match-p "output" kind) kind
                                         ;; A shell's value is its status.
                                         (concat "output " kind))
                                     kind)
                              body)
                    (org-babel-execute-src-block)
                    (ob-mesos-tests--settle)
                    (org-babel-execute-src-block)
                    (ob-mesos-tests--settle)
                    (ob-mesos-tests--results))))
           (ours (funcall run "mesos"))
           (theirs (funcall run "sh")))
      (should (equal (cons kind (replace-regexp-in-string
                                 "begin_src mesos" "begin_src sh" ours))
                     (cons kind theirs))))))

(ert-deftest ob-mesos-file-post-and-cache-are-those-of-the-result ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (file (expand-file-name "out.txt" directory)))
    (should (equal (ob-mesos-tests--run
                    (format ":results file :file %s" file) "echo content")
                   (format "[[file:%s]]\n" file)))
    (should (equal (with-temp-buffer (insert-file-contents file) (buffer-string))
                   "content\n"))
    (delete-directory directory t))
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block ":post twice(x=*this*)" "echo word")
              "\n#+name: twice\n#+begin_src emacs-lisp :var x=\"\"\n"
              "(concat (org-trim x) (org-trim x))\n#+end_src\n")
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (should (string-prefix-p ": wordword\n" (ob-mesos-tests--results)))))

(ert-deftest ob-mesos-cache-keeps-a-good-result-and-no-other ()
  (let ((count (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":cache yes" (format "echo x >> %s; echo hi" count))
      (dotimes (_ 2)
        (org-babel-execute-src-block)
        (ob-mesos-tests--settle))
      (should (string-match-p "#\\+RESULTS\\[[0-9a-f]+\\]:\n: hi\n" (buffer-string)))
      (should (equal 2 (file-attribute-size (file-attributes count)))))
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":cache yes" (format "echo x >> %s; exit 1" count))
      (dotimes (_ 2)
        (org-babel-execute-src-block)
        (ob-mesos-tests--settle))
      (should (equal 6 (file-attribute-size (file-attributes count)))))
    (delete-file count)))

(ert-deftest ob-mesos-silent-and-none-leave-the-buffer-alone ()
  (dolist (kind '("silent" "none"))
    (ob-mesos-tests--with (ob-mesos-tests--block (concat ":results " kind) "echo hi")
      (let ((before (buffer-string)))
        (org-babel-execute-src-block)
        (ob-mesos-tests--settle)
        (should (equal before (buffer-string)))))))

;;;; What is in the output

(ert-deftest ob-mesos-output-never-leaves-its-result ()
  (let ((body "printf '%s\\n' '* headline' '#+end_example' '#+RESULTS:' '(delete-file \"x\")' ':end:' 1 2 3 4 5 6 7"))
    (dolist (kind '("output" "drawer"))
      (ob-mesos-tests--with
          (concat (ob-mesos-tests--block (concat ":results " kind) body)
                  "\n* Next\n")
        (dotimes (_ 2)
          (org-babel-execute-src-block)
          (ob-mesos-tests--settle))
        (should (equal (org-map-entries (lambda () (org-get-heading t t t t)))
                       '("Next")))
        ;; Once in the block, once in its results.
        (should (= 2 (how-many "headline" (point-min) (point-max))))))))

(ert-deftest ob-mesos-lisp-in-a-table-is-text ()
  (let ((file (make-temp-file "ob-mesos")))
    (should (string-search
             "delete-file"
             (ob-mesos-tests--run ":results table"
                                  (format "printf '%%s\\n' '(delete-file\t\"%s\")'"
                                          file))))
    (should (file-exists-p file))
    (delete-file file)))

(ert-deftest ob-mesos-colours-and-carriage-returns-are-treated ()
  (should (equal (ob-mesos-tests--run "" "printf '\\033[31mred\\033[0m\\n10%%\\r50%%\\r100%%\\n'")
                 ": red\n: 100%\n")))

(ert-deftest ob-mesos-bytes-that-are-no-text-show-up ()
  (should (equal (ob-mesos-tests--run "" "printf 'a\\000b \\377 \\303\\244\\n'")
                 ": a\u2400b \ufffd ä\n")))

(ert-deftest ob-mesos-a-long-output-is-cut-and-says-so ()
  (let ((result (ob-mesos-tests--run "" "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 100")))
    (should (string-match-p "\\[cut: the first [0-9]+ of [0-9]+ bytes; the whole is /.*/stdout\\]"
                            result))))

(ert-deftest ob-mesos-a-body-of-a-mebibyte-runs ()
  (should (equal (ob-mesos-tests--run
                  ":lang python"
                  (concat "x='''"
                          (apply #'concat (make-list 10000 "äääääääääääääääääääääääää\n"))
                          "'''\nprint(len(x))"))
                 ": 260000\n"))
  ;; Org 9.7 itself cannot read a block of this size in a buffer.
  (should (string-search "1048576"
                         (error-message-string
                          (should-error (org-babel-execute:mesos
                                         (make-string 1048577 ?x) nil)
                                        :type 'user-error)))))

(ert-deftest ob-mesos-output-that-could-not-be-read-is-said-to-be-so ()
  (should (equal "[Its output could not be read: gone; it is http://a/x/stdout]"
                 (ob-mesos--stdout
                  (ob-mesos-task--make
                   :data '(:result (:stdout "" :stdoutBytes 0 :truncated t
                                            :stderr "Its output could not be read: gone"
                                            :location "http://a/x")))))))

;;;; Finding the place again

(defmacro ob-mesos-tests--while-it-runs (&rest body)
  "Start a block, run BODY, end it; the result must be where it belongs."
  `(let ((gate (make-temp-name (expand-file-name "ob-mesos-gate"
                                                 temporary-file-directory))))
     (ob-mesos-tests--with
         (concat "* One\nbefore\n\n"
                 (ob-mesos-tests--block
                  "" (format "while [ ! -e %s ]; do sleep 0.02; done; echo done" gate))
                 "\n* Two\nafter\n")
       (ob-mesos-tests--go "#+begin_src")
       (org-babel-execute-src-block)
       (unwind-protect
           (progn ,@body)
         (write-region "" nil gate nil 'silent))
       (ob-mesos-tests--settle)
       (delete-file gate)
       (widen)
       (should (string-match-p "#\\+end_src\n\n#\\+RESULTS:\n: done\n"
                               (buffer-string))))))

(ert-deftest ob-mesos-edits-above-do-not-mislead ()
  (ob-mesos-tests--while-it-runs
   (ob-mesos-tests--go "#+begin_src")
   (insert "typed just before\n\n")
   (goto-char (point-min))
   (insert "typed above\n")))

(ert-deftest ob-mesos-narrowing-does-not-mislead ()
  (ob-mesos-tests--while-it-runs
   (ob-mesos-tests--go "* Two")
   (org-narrow-to-subtree)
   (write-region "" nil gate nil 'silent)
   (ob-mesos-tests--settle)
   (should (equal (buffer-string) "* Two\nafter\n"))))

(ert-deftest ob-mesos-moving-the-subtree-does-not-mislead ()
  (ob-mesos-tests--while-it-runs
   (ob-mesos-tests--go "* One")
   (org-move-subtree-down)))

(ert-deftest ob-mesos-killing-and-yanking-the-block-does-not-mislead ()
  (ob-mesos-tests--while-it-runs
   (ob-mesos-tests--go "#+begin_src")
   (kill-region (point) (progn (search-forward "* Two") (match-beginning 0)))
   (goto-char (point-max))
   (insert "\n")
   (yank)))

(ert-deftest ob-mesos-without-a-place-nothing-is-inserted ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 0.3; echo hi")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (org-babel-remove-result)
      (let ((before (buffer-string)))
        (ob-mesos-tests--settle)
        (should (equal before (buffer-string)))
        (should (equal "hi\n" (plist-get (ob-mesos-task-result task) :stdout)))))))

(ert-deftest ob-mesos-a-reverted-and-a-reopened-file-get-the-result ()
  (dolist (reopen '(nil t))
    (let* ((file (make-temp-file "ob-mesos" nil ".org"
                                 (ob-mesos-tests--block "" "sleep 0.5; echo hi")))
           (inhibit-message t)
           (buffer (find-file-noselect file)))
      (with-current-buffer buffer
        (org-babel-execute-src-block)
        (save-buffer)
        (if reopen (kill-buffer) (revert-buffer t t)))
      (ob-mesos-tests--settle)
      (with-current-buffer (find-file-noselect file)
        (ob-mesos-tests--wait
         (lambda () (string-match-p "^: hi$" (buffer-string))))
        (set-buffer-modified-p nil)
        (kill-buffer))
      (delete-file file))))

;;;; While it runs

(ert-deftest ob-mesos-the-tail-stands-below-and-does-not-move-point ()
  (ob-mesos-tests--while-it-runs
   (ob-mesos-tests--wait
    (lambda () (equal "RUNNING" (ob-mesos-task-state (car (ob-mesos--running))))))
   (let ((task (car (ob-mesos--running))))
     (ob-mesos-tests--go "after")
     (set-buffer-modified-p nil)
     (dotimes (n 3)
       (setf (ob-mesos-task-tail task) (format "line %d\nmore" n))
       (ob-mesos--show task))
     (should (looking-at-p "after"))
     (should-not (buffer-modified-p))
     (should (string-match-p ": mesos:.* RUNNING since .*\n: | line 2\n: | more\n"
                             (buffer-string))))))

(ert-deftest ob-mesos-kill-ends-the-block-at-point ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "echo begun; sleep 60")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (ob-mesos-kill)
      (ob-mesos-tests--settle)
      (should (string-search "KILLED: Command terminated with signal Terminated"
                             (ob-mesos-tests--results))))))

(ert-deftest ob-mesos-a-users-edits-stay-undoable-each-at-its-place ()
  (random "ob-mesos")
  (dotimes (_ 200)
    (with-temp-buffer
      (buffer-enable-undo)
      (insert "aaaa bbbb cccc\n: T\ndddd eeee ffff\n")
      (setq buffer-undo-list nil)
      (let ((model (buffer-string)))
        ;; The model is the text without our line, which is the only one
        ;; that begins with a colon.
        (cl-flet ((others () (replace-regexp-in-string "^:.*\n" "" (buffer-string))))
          (let ((states (list (others))))
            (dotimes (_ 8)
              (undo-boundary)
              (goto-char (+ (point-min) (random (buffer-size))))
              (when (looking-at-p ":") (forward-line 1))
              (beginning-of-line)
              (when (looking-at-p ":") (forward-line 1))
              (unless (eolp) (forward-char (random (- (line-end-position) (point)))))
              (if (or (zerop (random 2)) (eolp))
                  (insert (make-string (1+ (random 3)) ?x))
                (delete-char 1))
              (push (others) states)
              (goto-char (point-min))
              (re-search-forward "^:")
              (let ((beg (line-beginning-position))
                    (end (line-beginning-position 2)))
                (ob-mesos--edit-status
                 (lambda ()
                   (ob-mesos--replace-lines
                    beg end (concat ": " (make-string (random 9) ?T) "\n"))))))
            (pop states)
            (undo-boundary)
            (let ((last-command nil) (this-command 'undo))
              (while states
                (let ((inhibit-message t)) (undo))
                (setq last-command 'undo)
                (undo-boundary)
                (should (equal (others) (pop states)))))
            (should (equal (others)
                           (replace-regexp-in-string "^:.*\n" "" model)))))))))

(provide 'ob-mesos-tests)
;;; ob-mesos-tests.el ends here
