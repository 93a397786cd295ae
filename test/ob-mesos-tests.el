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

(setq org-confirm-babel-evaluate nil
      ob-mesos-server-arguments
      (list "--state-dir" (make-temp-file "ob-mesos-test" t)))

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
  (setq ob-mesos--drafts nil))

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

;;;; From block to result

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

(ert-deftest ob-mesos-environment-and-directory-are-obeyed ()
  (should (equal (ob-mesos-tests--run ":env A=1 B=two" "echo $A $B")
                 ": 1 two\n")))

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

;;;; Bad input

(ert-deftest ob-mesos-bad-values-are-refused-by-name ()
  (pcase-dolist (`(,header . ,name)
                 '((":cpus 0" . "cpus") (":cpus lots" . "cpus") (":cpus -1" . "cpus")
                   (":mem 1X" . "mem") (":mem -5" . "mem") (":lang klingon" . "lang")
                   (":priority 5000" . "priority") (":timeout soon" . "timeout")
                   (":env novalue" . "env") (":network bridge" . "network") (":health tcp" . "health")
                   (":kill-grace -1" . "kill-grace")))
    (ob-mesos-tests--with (ob-mesos-tests--block header "echo hi")
      (let* ((before (buffer-string))
             (err (should-error (org-babel-execute-src-block) :type 'user-error)))
        (should (string-search name (error-message-string err)))
        (should (equal before (buffer-string)))))))

(ert-deftest ob-mesos-nonsense-in-any-argument-is-one-error-that-names-it ()
  (random "nonsense")
  (dolist (argument ob-mesos--arguments)
    (pcase-let* ((`(,name ,synonyms ,type . ,_) argument)
                 (nonsense
                  (pcase type
                    ('any (cdr (assq name '((master "two words" "http://" "ftp://x:1" "-")
                                            (lang "klingon" "\"\"" "'(1)")
                                            (after "nobody" "nobody-else")
                                            (foreach "x" "=1" "'(1 2)")
                                            (files "no-such-file" "/no/such")
                                            (stdin "nobody")))))
                    ('ports '("0" "101" "-1" "1web" "web:x" "a/b" "\"\"" "\u263a"))
                    ('constraints '("hostname" "hostname:EQUALS:x" "hostname:IS:" "a:" "\"a b:IS:c\""))
                    ('expose '("x" "1:2:3" "80:" "-1" "http" "123456" "\"\""))
                    ('volumes '("x" "/a:b" "/a:/b:rx" "nonsense value" "/x:"))
                    ('uris '("relative" "x+extract" "+cache" "nonsense value"))
                    ('secrets '("x" "1A=2" "nonsense value" "TOKEN=nobody.invalid"))
                    ('health '("maybe" "http" "http web" "cmd" "\"tcp a b\"" "tcp"))
                    ('environment '("nonsense value" "-1e30" "=x" "1A=2" "'(1 2)"))
                    (_ (append
                        '("nonsense value" "-1e30" "\"\"" "'(1 2)" "\u263a" "1e99" "--"
                          "0x10" "NaN" "1,5" "%s" "\\0")
                        (cl-loop repeat 10
                                 ;; What begins with a quote, Org reads itself.
                                 collect (apply #'string ?x
                                                (cl-loop repeat (random 5)
                                                         collect (+ ?* (random 50))))))))))
      (dolist (each (cons name synonyms))
        (dolist (value nonsense)
          (unless (and (eq type 'word) (not (string-match-p "[ (]\\|\"\"" value)))
            (ob-mesos-tests--with (ob-mesos-tests--block (format ":%s %s" each value) "true")
              (ert-info ((format ":%s %s" each value))
                (let ((before (buffer-string)))
                  (should (string-match-p
                           (format ":%s\\_>\\|:after\\_>" each)
                           (error-message-string
                            (should-error (org-babel-execute-src-block)
                                          :type 'user-error))))
                  (should (equal before (buffer-string))))))))))))

(ert-deftest ob-mesos-what-a-block-asks-for-is-told-to-the-server ()
  (cl-flet ((asked (header)
              (ob-mesos-tests--with (ob-mesos-tests--block header "true")
                (ob-mesos--resources (nth 2 (org-babel-get-src-block-info))))))
    (pcase-dolist
        (`(,header ,field ,value)
         '((":ports 2" :ports ["0" "1"])
           (":ports web admin" :ports ["web" "admin"])
           (":constraints hostname:UNIQUE rack:like:a.*:b" :constraints
            [(:attribute "hostname" :operator "UNIQUE" :value "")
             (:attribute "rack" :operator "like" :value "a.*:b")])
           (":uris http://h/a+b.tgz+extract+as=x.tgz /f+cache+executable" :uris
            [(:value "http://h/a+b.tgz" :extract t :name "x.tgz")
             (:value "/f" :cache t :executable t)])
           (":ports web :health tcp" :health (:kind "tcp" :port "web"))
           (":ports 1 :health http /ok" :health (:kind "http" :port "0" :target "/ok"))
           (":health http 8080/ok" :health (:kind "http" :port "8080" :target "/ok"))
           (":health cmd test -e ready" :health (:kind "cmd" :target "test -e ready"))
           (":ensure it-keeps-running" :ensure "it-keeps-running")
           (":dockerimage redis" :container
            (:image "redis" :pull :json-false :containerizer "docker"))
           (":image r :dockerize t" :container
            (:image "r" :containerizer "docker" :pull :json-false))
           (":image r :containerizer mesos :network bridge :expose 6379 80:8080 :pull always"
            :container
            (:image "r" :containerizer "mesos" :network "bridge"
                    :expose [(:host 0 :container 6379) (:host 80 :container 8080)]
                    :pull t))
           (":image r :privileged yes :entrypoint no :volumes /a:/b /c:/d:ro" :container
            (:image "r"
                    :volumes [(:host "/a" :container "/b" :readOnly :json-false)
                              (:host "/c" :container "/d" :readOnly t)]
                    :privileged t :pull :json-false :containerizer "docker"))))
      (ert-info (header)
        (should (equal value (plist-get (asked header) field)))))))

(ert-deftest ob-mesos-ports-are-given-shown-and-visited ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":ports web admin" "echo $PORT0 $PORT_WEB $PORT_ADMIN; sleep 600")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))) visited)
      (ob-mesos-tests--wait
       (lambda () (string-match "\\`\\([0-9]+\\) \\1 \\([0-9]+\\)"
                                (ob-mesos-task-tail task))))
      (let ((address (concat (plist-get (ob-mesos-task-data task) :hostname) ":"
                             (match-string 1 (ob-mesos-task-tail task)))))
        (ob-mesos--show task)
        (should (string-match-p
                 (format "RUNNING since [0-9:]+ at %s, .*:[0-9]+$" (regexp-quote address))
                 (ob-mesos-tests--results)))
        (cl-letf (((symbol-function 'browse-url)
                   (lambda (url &rest _) (setq visited url)))
                  ((symbol-function 'completing-read)
                   (lambda (_prompt all &rest _) (car all))))
          (goto-char (point-min))
          (ob-mesos-browse-port)
          (should (equal visited (concat "http://" address)))
          (should (string-match-p "its cluster is the embedded one"
                                  (error-message-string
                                   (should-error (ob-mesos-open-ui) :type 'user-error))))))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-files-are-fetched-by-the-agent ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (tool (expand-file-name "tool" directory)))
    (with-temp-file tool (insert "#!/bin/sh\necho used\n"))
    (should (equal ": used\n"
                   (ob-mesos-tests--run
                    (format ":uris %s+executable+as=bin/mine" tool) "./bin/mine")))
    (should (string-match-p "Failed to fetch /no/such: there is no such file"
                            (ob-mesos-tests--run ":uris /no/such" "true")))))

(ert-deftest ob-mesos-nobody-but-us-runs-on-the-embedded-cluster ()
  (should (equal ": hi\n" (ob-mesos-tests--run (format ":user %s" (user-login-name))
                                               "echo hi")))
  (should (string-match-p "ERROR: The task wants to run as somebody-else"
                          (ob-mesos-tests--run ":user somebody-else" "echo hi"))))

(ert-deftest ob-mesos-a-container-wants-an-engine ()
  (let ((process-environment (cons (concat "PATH=" (make-temp-file "ob-mesos" t))
                                   process-environment))
        (ob-mesos-java (executable-find ob-mesos-java))
        (ob-mesos--servers nil))
    (should (string-match-p "ERROR: The task wants a container.* neither podman nor docker"
                            (ob-mesos-tests--run ":image redis" "true")))
    (ob-mesos--disconnect (ob-mesos--server))))

(ert-deftest ob-mesos-what-fits-nowhere-says-why-and-waits ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":constraints rack:IS:a" "true")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (string-match-p "fits on no agent: .*: has no rack"
                                  (or (plist-get (ob-mesos-task-data task) :message) ""))))
      (should (equal "QUEUED" (ob-mesos-task-state task)))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-a-secret-is-used-and-written-down-nowhere ()
  (let* ((netrc (make-temp-file "netrc"))
         (auth-sources (list netrc))
         (state (cadr (member "--state-dir" ob-mesos-server-arguments))))
    (write-region "machine vault.invalid login me password hush-hush-7\n" nil netrc)
    (auth-source-forget-all-cached)
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":secret TOKEN=me@vault.invalid"
                               "test ${#TOKEN} = 11 && echo known; sleep 2")
      (org-babel-execute-src-block)
      (let ((task (car (ob-mesos--running))))
        (ob-mesos-tests--wait (lambda () (equal "known" (ob-mesos-task-tail task))))
        (should-not (string-search "hush-hush-7" (buffer-string)))
        (should-not (string-search "hush-hush-7" (format "%S" (ob-mesos-task-data task))))
        (should (equal "" (shell-command-to-string
                           (format "grep -rl hush-hush-[7] %s; \
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -x hush-hush-[7]"
                                   state)))))
      (ob-mesos-tests--settle))
    (delete-file netrc)))

(ert-deftest ob-mesos-secrets-are-told-again-to-another-server-by-another-emacs ()
  (let* ((netrc (make-temp-file "netrc"))
         (auth-sources (list netrc))
         (server (ob-mesos--server)))
    (write-region "machine vault.invalid login me password hush-hush-8\n" nil netrc)
    (auth-source-forget-all-cached)
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":secret TOKEN=vault.invalid :agent nowhere.example" "true")
      (org-babel-execute-src-block)
      (cl-flet ((settle ()
                  (ob-mesos-tests--wait
                   (lambda ()
                     (let ((task (car (ob-mesos--running))))
                       (and task
                            (string-suffix-p
                             "wants IS nowhere.example"
                             (or (plist-get (ob-mesos-task-data task) :message)
                                 ""))))))))
        (settle)
        (setf (ob-mesos-task-data (car (ob-mesos--running))) nil)
        (signal-process (jsonrpc--process (ob-mesos--server-connection server)) 9)
        (settle)
        (let ((process (jsonrpc--process (ob-mesos--server-connection server))))
          (ob-mesos--disconnect server)
          (ob-mesos-tests--wait (lambda () (not (process-live-p process)))))
        (clrhash ob-mesos--tasks)
        (ob-mesos-attach)
        (settle))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))
    (delete-file netrc)))

(ert-deftest ob-mesos-output-that-could-not-be-read-is-said-to-be-so ()
  (should (equal "[Its output could not be read: gone; it is http://a/x/stdout]"
                 (ob-mesos--stdout
                  (ob-mesos-task--make
                   :data '(:result (:stdout "" :stdoutBytes 0 :truncated t
                                            :stderr "Its output could not be read: gone"
                                            :location "http://a/x")))))))

(ert-deftest ob-mesos-header-arguments-are-completed ()
  (ob-mesos-tests--with "#+begin_src mesos :cp\necho :cp\n#+end_src\n"
    (end-of-line)
    (pcase-let ((`(,beg ,end ,names . ,_) (ob-mesos-completion-at-point)))
      (should (equal (buffer-substring beg end) ":cp"))
      (should (equal (all-completions ":cp" names) '(":cpus" ":cpu"))))
    (forward-line 1)
    (end-of-line)
    (should-not (ob-mesos-completion-at-point))
    (should (memq #'ob-mesos-completion-at-point completion-at-point-functions))
    (goto-char (point-min))
    (ob-mesos-insert-header-args "mem" "64")
    (should (looking-back "#\\+begin_src mesos :cp :mem 64" nil))))

(ert-deftest ob-mesos-an-empty-block-is-refused ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "  ")
    (should-error (org-babel-execute-src-block) :type 'user-error)))

(ert-deftest ob-mesos-sizes-have-units ()
  (should (= 2048 (ob-mesos--size "mem" "2G")))
  (should (= 512 (ob-mesos--size "mem" "512M")))
  (should (= 64 (ob-mesos--size "mem" 64))))

(ert-deftest ob-mesos-what-is-missing-is-said-with-the-cure ()
  (let ((ob-mesos--servers nil))
    (let ((ob-mesos-server-jar "/nonexistent.jar"))
      (should (string-search "ob-mesos build"
                             (error-message-string
                              (should-error (ob-mesos--check-server))))))
    (let ((ob-mesos-java "/nonexistent/java"))
      (should (string-search "apt-get install"
                             (error-message-string
                              (should-error (ob-mesos--check-server))))))))

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
                (ob-mesos--quietly
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

;;;; The documents

(ert-deftest ob-mesos-the-readme-has-every-header-argument-and-no-other ()
  (with-temp-buffer
    (insert-file-contents (expand-file-name "../README.org" ob-mesos--directory))
    (goto-char (point-min))
    (search-forward "* Header arguments")
    (let (rows)
      (while (re-search-forward "^| =:\\([a-z-]+\\)= +| \\(.*?\\) +|$" nil t)
        (push (cons (intern (match-string 1)) (match-string 2)) rows))
      (should (equal (nreverse rows) ob-mesos--header-arguments)))))

(ert-deftest ob-mesos-run-writes-results-and-exits-with-what-happened ()
  (let ((file (make-temp-file "ob-mesos" nil ".org"
                              (ob-mesos-tests--block "" "echo hi"))))
    (cl-flet ((run (&rest arguments)
                (apply #'call-process
                       (expand-file-name invocation-name invocation-directory)
                       nil nil nil "--batch" "-Q" "-L" ob-mesos--directory
                       "--eval" "(require 'ob-mesos)" "-f" "ob-mesos-batch-run"
                       arguments)))
      (let ((process-environment
             (cons (concat "XDG_STATE_HOME=" (make-temp-file "ob-mesos" t))
                   process-environment)))
        (should (equal 0 (run file)))
        (with-temp-buffer
          (insert-file-contents file)
          (should (string-match-p "#\\+RESULTS:\n: hi\n" (buffer-string)))
          (erase-buffer)
          (insert (ob-mesos-tests--block "" "exit 9"))
          (write-region nil nil file nil 'silent))
        (should (equal 1 (run file)))
        (delete-file file)
        (should (equal 1 (run file)))
        (should (equal 1 (run)))))))

;;;; When things go wrong

(ert-deftest ob-mesos-a-killed-server-is-started-again-and-nothing-is-lost ()
  (ob-mesos-tests--with
      (mapconcat (lambda (n)
                   (ob-mesos-tests--block
                    ":cpus 0.05 :mem 32" (format "sleep 0.%d; echo result %d" (% n 10) n)))
                 (number-sequence 1 50) "\n")
    (let ((tasks (ob-mesos--submit-buffer-and-wait)))
      (should (= 50 (length tasks)))
      (ob-mesos-tests--wait
       (lambda () (cl-some #'ob-mesos-task-terminal-p tasks)))
      (signal-process (jsonrpc--process (ob-mesos--server-connection (ob-mesos--server))) 9)
      (ob-mesos-tests--settle)
      (dotimes (n 50)
        (should (= 1 (how-many (format "^: result %d$" (1+ n))
                               (point-min) (point-max)))))
      (should-not (cl-some #'ob-mesos-task-failed-p tasks)))))

(ert-deftest ob-mesos-what-one-server-says-does-not-get-into-what-another-does ()
  (let ((other (ob-mesos--server "localhost:1"))
        (count 0))
    (unwind-protect
        (dotimes (_ 5)
          ;; A long answer comes in pieces, and a server begins between them.
          (ob-mesos-tests--with
              (ob-mesos-tests--block "" "head -c 200000 /dev/zero | tr '\\0' x")
            (org-babel-execute-src-block)
            (let ((id (ob-mesos-task-id (car (ob-mesos--running)))))
              (ob-mesos-tests--settle)
              (dotimes (_ 5)
                (ob-mesos--request (ob-mesos--server) :task/get (list :ids (vector id))
                                   (lambda (result)
                                     (when (= 200000 (length (plist-get
                                                              (plist-get
                                                               (aref (plist-get result :tasks) 0)
                                                               :result)
                                                              :stdout)))
                                       (cl-incf count)))))
              (accept-process-output nil 0.01)
              (ob-mesos--ensure-server other)
              (ob-mesos--disconnect other)
              (ob-mesos-tests--wait
               (lambda () (null (ob-mesos--server-connection other)))))))
      (ob-mesos--disconnect other))
    (ob-mesos-tests--wait (lambda () (= count 25)))))

(ert-deftest ob-mesos-an-answer-is-dealt-with-outside-of-the-process-filter ()
  (let (frames)
    (ob-mesos--request (ob-mesos--server) :task/list (make-hash-table :size 1)
                       (lambda (_result)
                         (mapbacktrace (lambda (_evald function _arguments _flags)
                                         (push function frames)))))
    (ob-mesos-tests--wait (lambda () frames))
    (should-not (memq 'jsonrpc--process-filter frames))))

(ert-deftest ob-mesos-kept-tasks-are-picked-up-by-the-next-server ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block "" "echo begun; sleep 1; echo ended")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (let ((process (jsonrpc--process (ob-mesos--server-connection (ob-mesos--server)))))
        (ob-mesos--disconnect (ob-mesos--server))
        (ob-mesos-tests--wait (lambda () (not (process-live-p process)))))
      (clrhash ob-mesos--tasks)
      (ob-mesos-attach)
      (ob-mesos-tests--settle)
      (should (equal (ob-mesos-tests--results) ": begun\n: ended\n")))))

(provide 'ob-mesos-tests)
;;; ob-mesos-tests.el ends here
