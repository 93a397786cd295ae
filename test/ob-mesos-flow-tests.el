;;; ob-mesos-flow-tests.el --- Blocks that need each other  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Values from block to block, order, fan-out, whole buffers.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-run)
(require 'ob-mesos-mode)

(defun ob-mesos-flow--named (name header body)
  "A mesos block called NAME with HEADER and BODY."
  (concat "#+name: " name "\n" (ob-mesos-tests--block header body) "\n"))

(defun ob-mesos-flow--execute (name)
  "Execute the block or call NAME."
  (goto-char (org-babel-find-named-block name))
  (ob-mesos-execute))

(defun ob-mesos-flow--result (name)
  "What stands under the results of NAME."
  (save-excursion
    (goto-char (point-min))
    (re-search-forward (format "^#\\+RESULTS\\(?:\\[.*\\]\\)?: %s\n" name))
    (buffer-substring-no-properties
     (point) (progn (while (looking-at-p "[|:#-]") (forward-line 1)) (point)))))

;;;; Values

(ert-deftest ob-mesos-results-that-come-in-meanwhile-do-not-misplace-another ()
  (dolist (execute (list #'org-babel-execute-buffer
                         (lambda ()
                           (goto-char (point-min))
                           (while (re-search-forward "^#\\+\\(begin_src mesos\\|call\\)" nil t)
                             (save-excursion (or (org-babel-lob-execute-maybe)
                                                 (org-babel-execute-src-block)))))))
    (ob-mesos-tests--with-file ""
      (let* ((go (expand-file-name "go" directory))
             (ended 0)
             (ob-mesos-after-task-functions
              (list (lambda (_task)
                      (when (= 3 (cl-incf ended))
                        (write-region "" nil go nil 'silent))))))
        (insert (ob-mesos-tests--block "" "echo 1") "\n"
                (ob-mesos-tests--block "" "echo 2") "\n"
                (ob-mesos-tests--block "" "echo 3") "\n"
                (ob-mesos-flow--named
                 "slow" ":eval no-export"
                 (format "until [ -e %s ]; do sleep 0.05; done; echo 5" go))
                (ob-mesos-flow--named "waits" ":var x=slow" "echo B$x")
                "#+call: waits(x=slow)\n\n"
                "#+begin_src sh :eval never\n" (make-string 400 ?#) "\n#+end_src\n\n"
                "#+RESULTS:\n: precious\n")
        (let ((org-confirm-babel-evaluate nil))
          (funcall execute))
        (ob-mesos-tests--settle)
        (should (equal ": B5\n" (ob-mesos-flow--result "waits")))
        (should (string-suffix-p "#+RESULTS:\n: precious\n" (buffer-string)))
        (should (= 2 (how-many "^: B5$" (point-min) (point-max))))))))

(ert-deftest ob-mesos-a-block-waits-in-the-queue-for-the-value-of-another ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "sleep 0.5; printf first")
              (ob-mesos-flow--named "two" ":var x=one" "echo \"got $x\""))
    (ob-mesos-flow--execute "two")
    ;; Emacs has waited for neither of them.
    (should (= 2 (length (ob-mesos--running))))
    (let ((task (cl-find "two" (ob-mesos--running) :test #'equal
                         :key (lambda (task)
                                (plist-get (ob-mesos-task-block task) :name)))))
      (ob-mesos-tests--wait
       (lambda () (equal "waits for one"
                         (plist-get (ob-mesos-task-data task) :message))))
      (ob-mesos--show task)
      (should (string-match-p "QUEUED waits for one" (ob-mesos-flow--result "two"))))
    (ob-mesos-tests--settle)
    (should (equal ": got first\n" (ob-mesos-flow--result "two")))
    ;; Org does not insert what it runs for the sake of another block.
    (should-not (string-search "RESULTS: one" (buffer-string)))))

(ert-deftest ob-mesos-a-table-has-any-number-of-rows ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":results table" "seq 1200 | sed 's/$/ x/'")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (= 1200 (how-many "^| +[0-9]+ | x |$" (point-min) (point-max))))))

(ert-deftest ob-mesos-a-table-stays-a-table ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" ":results table" "echo a 1; echo b 2")
              (ob-mesos-flow--named "two" ":var x=one[1,1] y=one :lang python"
                                    "print(x + 1, y)"))
    (ob-mesos-flow--execute "two")
    (ob-mesos-tests--settle)
    (should (equal ": 3 [['a', 1], ['b', 2]]\n" (ob-mesos-flow--result "two")))))

(ert-deftest ob-mesos-column-names-are-taken-off-a-table-as-org-does ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named
               "one" ":results table :colnames '(k v)" "echo a 1; echo b 2")
              (ob-mesos-flow--named
               "two" ":var x=one :colnames yes :results table :lang python"
               "for row in x: print(row[0], row[1] * 2)"))
    (ob-mesos-flow--execute "two")
    (ob-mesos-tests--settle)
    (should (equal "| k | v |\n|---+---|\n| a | 2 |\n| b | 4 |\n"
                   (ob-mesos-flow--result "two")))))

(ert-deftest ob-mesos-a-diamond-runs-its-top-once ()
  (let ((file (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "top" "" (format "echo x >> %s; echo 2" file))
                (ob-mesos-flow--named "left" ":var x=top" "echo $((x + 1))")
                (ob-mesos-flow--named "right" ":var x=top" "echo $((x * 10))")
                (ob-mesos-flow--named "bottom" ":var l=left r=right"
                                      "echo $((l + r))"))
      (ob-mesos-flow--execute "bottom")
      (ob-mesos-tests--settle)
      (should (equal ": 23\n" (ob-mesos-flow--result "bottom")))
      (should (equal "x\n" (with-temp-buffer (insert-file-contents file)
                                             (buffer-string)))))))

(ert-deftest ob-mesos-a-call-passes-the-value-of-a-block ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "echo 5")
              (ob-mesos-flow--named "twice" ":var n=0" "echo $((2 * n))")
              "#+name: called\n#+call: twice(n=one)\n")
    (goto-char (point-min))
    (search-forward "#+call:")
    (org-babel-lob-execute-maybe)
    (ob-mesos-tests--settle)
    (should (equal ": 10\n" (ob-mesos-flow--result "called")))))

(ert-deftest ob-mesos-lisp-waits-for-a-block-and-a-block-for-lisp ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" ":results value" "echo 5")
              "#+name: lisp\n#+begin_src emacs-lisp :var x=one\n(* x 3)\n#+end_src\n\n"
              (ob-mesos-flow--named "last" ":var x=lisp" "echo \"lisp said $x\""))
    (ob-mesos-flow--execute "last")
    (ob-mesos-tests--settle)
    (should (equal ": lisp said 15\n" (ob-mesos-flow--result "last")))))

(ert-deftest ob-mesos-a-failure-fails-what-hangs-on-it-and-says-so ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "exit 4")
              (ob-mesos-flow--named "two" ":var x=one" "echo $x")
              (ob-mesos-flow--named "three" ":var x=two" "echo $x"))
    (ob-mesos-flow--execute "three")
    (ob-mesos-tests--settle)
    (should (string-match-p "ERROR: The task needs two (.*needs one (.*status 4"
                            (ob-mesos-flow--result "three")))))

(ert-deftest ob-mesos-a-circle-is-named-before-anything-runs ()
  (dolist (text (list
                 (concat (ob-mesos-flow--named "a" ":var x=b" "echo $x")
                         (ob-mesos-flow--named "b" ":var x=c" "echo $x")
                         (ob-mesos-flow--named "c" ":var x=a" "echo $x"))
                 (concat (ob-mesos-flow--named "a" ":after b" "echo")
                         (ob-mesos-flow--named "b" ":after c" "echo")
                         (ob-mesos-flow--named "c" ":after a" "echo"))))
    (ob-mesos-tests--with text
      (let ((err (should-error (ob-mesos-flow--execute "a") :type 'user-error)))
        (should (string-match-p "circle: a (line 2) -> b (line 7) -> c (line 12) -> a (line 2)"
                                (error-message-string err))))
      (ob-mesos-tests--settle)
      (let ((err (should-error (ob-mesos--submit-buffer-and-wait)
                               :type 'user-error)))
        (should (string-match-p "circle: a (line 2) -> b (line 7) -> c (line 12) -> a (line 2)"
                                (error-message-string err))))
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-a-value-that-is-reused-is-that-of-the-run ()
  (let ((file (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "one" ":cache yes"
                                      (format "echo x >> %s; echo 1" file))
                (ob-mesos-flow--named "two" ":var x=one :cache yes"
                                      (format "echo y >> %s; echo \"got $x\"" file)))
      (dotimes (_ 2)
        (ob-mesos-flow--execute "one")
        (ob-mesos-tests--settle)
        (ob-mesos-flow--execute "two")
        (ob-mesos-tests--settle))
      (should (equal ": got 1\n: \n" (ob-mesos-flow--result "two")))
      (should (equal "x\ny\n" (with-temp-buffer (insert-file-contents file)
                                                (buffer-string)))))))

(ert-deftest ob-mesos-another-emacs-gives-a-waiting-block-its-values ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" ":results table" "sleep 1; echo a 1; echo b 2")
              (ob-mesos-flow--named "two" ":var x=one[1,1] y=4" "echo $((x * y))")
              (ob-mesos-flow--named "three" ":var x=two" "echo \"<$x>\" | tr -d '\\n'"))
    (ob-mesos-flow--execute "three")
    (ob-mesos-flow--execute "two")
    (ob-mesos-tests--wait
     (lambda () (cl-every #'ob-mesos-task-data (ob-mesos--running))))
    (clrhash ob-mesos--tasks)
    (setq ob-mesos--waiting-tasks nil)
    (ob-mesos-reconnect)
    (ob-mesos-tests--wait
     (lambda () (string-search "#+RESULTS: three\n: <8>\n" (buffer-string))))
    (should (equal ": 8\n" (ob-mesos-flow--result "two")))
    (ob-mesos-tests--settle)))

;;;; Order

(ert-deftest ob-mesos-a-block-comes-after-others-without-their-values ()
  (let ((file (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "last" ":after one two" (format "cat %s" file))
                (ob-mesos-flow--named "one" "" (format "sleep 0.3; echo 1 >> %s" file))
                (ob-mesos-flow--named "two" ":requires one" (format "echo 2 >> %s" file)))
      (ob-mesos-flow--execute "last")
      (ob-mesos-tests--settle)
      (should (equal ": 1\n: 2\n" (ob-mesos-flow--result "last")))
      (delete-file file)
      (ob-mesos--submit-buffer-and-wait)
      (ob-mesos-tests--settle)
      (should (equal ": 1\n: 2\n" (ob-mesos-flow--result "last"))))))

(ert-deftest ob-mesos-after-names-a-block-that-is-there ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":after nobody" "true")
    (should (string-search "nobody, which is no block"
                           (error-message-string
                            (should-error (org-babel-execute-src-block)
                                          :type 'user-error))))))

;;;; Whole buffers

(ert-deftest ob-mesos-a-whole-buffer-runs-in-the-order-of-its-needs ()
  (let ((file (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "bottom" ":var l=left r=right" "echo $((l + r))")
                (ob-mesos-flow--named "right" ":var x=top" "echo $((x * 10))")
                (ob-mesos-flow--named "left" ":var x=top" "echo $((x + 1))")
                (ob-mesos-flow--named "top" "" (format "echo x >> %s; echo 2" file)))
      (should (= 4 (length (ob-mesos--submit-buffer-and-wait))))
      (ob-mesos-tests--settle)
      (should (equal ": 23\n" (ob-mesos-flow--result "bottom")))
      (should (equal ": 2\n" (ob-mesos-flow--result "top")))
      (should (equal ": 3\n" (ob-mesos-flow--result "left")))
      (should (equal "x\n" (with-temp-buffer (insert-file-contents file)
                                             (buffer-string)))))))

(ert-deftest ob-mesos-labels-of-lines-are-not-executed ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "-n -r" "echo 1 (ref:here)")
              (ob-mesos-flow--named "two" "-l \"# <%s>\" :lang python :var x=one"
                                    "print(int(x) # <there>\n)")
              "#+name: three\n#+call: one()\n\n")
    (ob-mesos--submit-buffer-and-wait)
    (ob-mesos-tests--settle)
    (should (equal ": 1\n" (ob-mesos-flow--result "one")))
    (should (equal ": 1\n" (ob-mesos-flow--result "two")))
    (should (equal ": 1\n" (ob-mesos-flow--result "three")))))

(ert-deftest ob-mesos-a-block-that-the-server-refuses-fails-alone ()
  (ob-mesos-tests--with
      (concat "#+begin_src mesos :results output\necho one\n#+end_src\n\n"
              "#+begin_src mesos :keep 10m :timeout 5\necho two\n#+end_src\n\n"
              "#+begin_src mesos :results output\necho three\n#+end_src\n")
    (ob-mesos--submit-buffer-and-wait)
    (ob-mesos-tests--settle)
    (dolist (text '("^: one$" "^: three$" "ERROR: keep: none for a block with a timeout"))
      (should (= 1 (how-many text (point-min) (point-max)))))))

(ert-deftest ob-mesos-a-killed-task-is-not-sent-again ()
  (let ((killed (ob-mesos-task--make :id "killed" :master "local" :block '(:id "killed")))
        (other (ob-mesos-task--make :id "other" :master "local" :block '(:id "other")))
        sent refused)
    (cl-letf (((symbol-function 'ob-mesos--request)
               (lambda (_server method params _success &optional failure)
                 (when (eq method :task/submit)
                   (let ((ids (mapcar (lambda (block) (plist-get block :id))
                                      (plist-get params :blocks))))
                     (push ids sent)
                     (when (cdr ids)
                       (setf (ob-mesos-task-killed killed) t)
                       (funcall failure "One of them is wrong"))))))
              ((symbol-function 'ob-mesos--refused)
               (lambda (task message &optional _state) (push (cons (ob-mesos-task-id task) message) refused))))
      (ob-mesos--submit-batch (list killed other)))
    (should (equal '(("other") ("killed" "other")) sent))
    (should (equal '(("killed" . "Killed before it was submitted")) refused))))

(ert-deftest ob-mesos-errors-that-are-handled-are-not-shown-by-the-hook-of-others ()
  (let* (said (signal-hook-function (lambda (&rest err) (push err said))))
    (ob-mesos--do-job (list (lambda () (ignore-errors (error "Handled")))))
    (should-not said)))

(ert-deftest ob-mesos-a-long-chain-upside-down-is-no-problem ()
  (ob-mesos-tests--with
      (concat (mapconcat (lambda (n)
                           (ob-mesos-flow--named
                            (format "b%d" n) (format ":var x=b%d" (1- n))
                            "echo $((x + 1))"))
                         (number-sequence 60 1 -1) "")
              (ob-mesos-flow--named "b0" "" "echo 0"))
    (should (= 61 (length (ob-mesos--submit-buffer-and-wait))))
    (ob-mesos-tests--settle)
    (should (equal ": 60\n" (ob-mesos-flow--result "b60")))))

(ert-deftest ob-mesos-lisp-in-the-middle-of-a-whole-buffer-gets-its-value ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "last" ":var x=lisp" "echo \"lisp said $x\"")
              "#+name: lisp\n#+begin_src emacs-lisp :var x=one[0,1]\n(* x 3)\n#+end_src\n\n"
              (ob-mesos-flow--named "one" ":results table" "echo 5 6; echo 7 8"))
    (ob-mesos--submit-buffer-and-wait)
    (ob-mesos-tests--settle)
    (should (equal ": lisp said 18\n" (ob-mesos-flow--result "last")))))

(ert-deftest ob-mesos-a-run-is-confirmed-once-and-summed-up ()
  (ob-mesos-tests--with
      (concat "* One\n" (ob-mesos-flow--named "one" "" "echo 1")
              (ob-mesos-flow--named "bad" "" "exit 1")
              "* Two\n" (ob-mesos-flow--named "two" "" "echo 2"))
    (let ((org-confirm-babel-evaluate t) (asked nil) (said nil) (shown nil))
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (prompt)
                   (push prompt asked)
                   (setq shown (with-current-buffer "*ob-mesos run*"
                                 (buffer-string)))
                   t))
                ((symbol-function 'message)
                 (lambda (text &rest arguments)
                   (when text
                     (push (apply #'format-message text arguments) said)))))
        (goto-char (point-min))
        (ob-mesos-execute-subtree)
        (ob-mesos-tests--wait
         (lambda () (cl-find-if (lambda (text) (string-search "one after the other" text))
                                said))))
      (should (equal asked '("Run 2 blocks and calls on the cluster? ")))
      (should (string-match-p "one +echo 1\n +bad +exit 1" shown))
      (should (cl-find-if (lambda (text)
                            (string-match-p "\\`ob-mesos: 1 done, 1 failed (bad-" text))
                          said))
      (should-not (string-search "RESULTS: two" (buffer-string))))))

(ert-deftest ob-mesos-a-call-names-the-agent-it-runs-on ()
  (ob-mesos-tests--with
      (concat "#+name: install\n" (ob-mesos-tests--block ":var pkg=\"none\"" "echo $pkg")
              "\n#+call: install(pkg=\"nginx\") :agent nowhere.example\n")
    ;; So that the cluster's agents are known.
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (search-forward "#+call")
    (org-babel-lob-execute-maybe)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (string-suffix-p ", wants IS nowhere.example"
                                   (or (plist-get (ob-mesos-task-data task) :message)
                                       ""))))
      (ob-mesos--show task)
      (should (string-match-p "QUEUED fits on no agent: " (buffer-string)))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

;;;; Within a line

(ert-deftest ob-mesos-inline-blocks-and-calls-have-their-results-at-their-places ()
  (ob-mesos-tests--with
      (concat "#+name: twice\n" (ob-mesos-tests--block ":var n=1" "sleep 0.2; echo $((2 * n))")
              "\nOne src_mesos[:cpus 0.1]{sleep 0.2; echo here} and\n"
              "call_twice(n=3), and call_twice(n=4) {{{results(=old=)}}} too.\n")
    (dolist (object '("src_mesos" "call_twice(n=3)" "call_twice(n=4)"))
      (goto-char (point-min))
      (search-forward object)
      (goto-char (match-beginning 0))
      (org-ctrl-c-ctrl-c)
      (should (ob-mesos--running)))
    (should (= 3 (how-many "{{{results(=mesos:[a-z]+-[a-z2-7]+ QUEUED=)}}}"
                           (point-min) (point-max))))
    (ob-mesos-tests--settle)
    (goto-char (point-min))
    (search-forward "One src_mesos[:cpus 0.1]{sleep 0.2; echo here} {{{results(=here=)}}} and
call_twice(n=3) {{{results(=6=)}}}, and call_twice(n=4) {{{results(=8=)}}} too.\n")))

(ert-deftest ob-mesos-an-inline-result-that-is-code-has-its-language ()
  (ob-mesos-tests--with
      "x src_mesos[:results code]{echo hi} y src_sh[:mesos yes :results code]{echo hi}\n"
    (dolist (name '("src_mesos" "src_sh"))
      (goto-char (point-min))
      (search-forward name)
      (goto-char (match-beginning 0))
      (org-ctrl-c-ctrl-c)
      (ob-mesos-tests--settle))
    (should (string-search "{{{results(src_mesos[]{hi})}}} y" (buffer-string)))
    (should (string-search "{{{results(src_sh[]{hi})}}}" (buffer-string)))))

(ert-deftest ob-mesos-an-inline-block-finds-its-place-again-and-says-how-it-failed ()
  (ob-mesos-tests--with
      "Look src_mesos{sleep 0.3; echo moved} here and src_mesos{exit 3} there.\n"
    (search-forward "Look ")
    (org-ctrl-c-ctrl-c)
    (search-forward "here and ")
    (org-ctrl-c-ctrl-c)
    (goto-char (point-min))
    (kill-line 1)
    (insert "new text\n")
    (yank)
    (clrhash ob-mesos--tasks)
    (ob-mesos-reconnect)
    (ob-mesos-tests--settle)
    (goto-char (point-min))
    (should (search-forward "echo moved} {{{results(=moved=)}}} here" nil t))
    (should (search-forward "FAILED: Command exited with status 3" nil t))
    (forward-line 1)
    (should (eobp))))

(ert-deftest ob-mesos-a-whole-buffer-has-its-inline-blocks-too ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "echo 5")
              "Text src_mesos[:var x=one]{echo $((x + 1))} text.\n")
    (should (= 2 (length (ob-mesos--submit-buffer-and-wait))))
    (ob-mesos-tests--settle)
    (should (string-search "{{{results(=6=)}}} text." (buffer-string)))
    (should (equal ": 5\n" (ob-mesos-flow--result "one")))))

;;;; Examples

(defun ob-mesos-flow--podman-p ()
  "Whether podman can run here; within another container it often cannot."
  (and (executable-find "podman")
       (zerop (call-process "sh" nil nil nil "-c"
                            "cd $(mktemp -d) && mkdir -p bin && cp -L /bin/sh bin/ &&
ldd /bin/sh | grep -o '/[^ ]*' | while read -r l; do mkdir -p .$(dirname $l); cp -L $l .$l; done &&
tar -c . | podman import -q - localhost/ob-mesos-probe &&
podman run --rm --network host localhost/ob-mesos-probe sh -c :"))))

(ert-deftest ob-mesos-the-examples-run ()
  (dolist (example `(("word-count.org" . "| the   | 6 |\n| and   | 3 |\n")
                     ("languages.org" . "task 4 of 5 has 5\n25\n")
                     ("asking.org" . "\n: run 3 went well\n")
                     ("genetic.org" . "\n[[file:fitness.svg]]\n")
                     ,@(and (ob-mesos-flow--podman-p)
                            '(("containers.org" . "\n: what the image is for\n")))))
    (let ((directory (make-temp-file "ob-mesos" t)))
      (copy-file (expand-file-name (concat "../examples/" (car example))
                                   ob-mesos--directory)
                 (file-name-as-directory directory))
      (with-current-buffer (find-file-noselect (expand-file-name (car example)
                                                                 directory))
        (ob-mesos-global-mode)
        (let ((inhibit-message t))
          (ob-mesos--submit-buffer-and-wait)
          (ob-mesos-tests--settle))
        (should (string-search (cdr example) (buffer-string)))
        (let ((case-fold-search nil))
          (should-not (string-match-p "FAILED\\|ERROR" (buffer-string))))
        (set-buffer-modified-p nil)
        (kill-buffer)))))

(defun ob-mesos-flow--get (port path)
  "What is served at PORT of this machine under PATH, or nil."
  (with-temp-buffer
    (when-let ((client (ignore-errors
                         (open-network-stream "client" (current-buffer) "127.0.0.1" port))))
      (process-send-string client (format "GET %s HTTP/1.0\r\n\r\n" path))
      (while (accept-process-output client 2))
      (buffer-string))))

(defun ob-mesos-flow--redis-image ()
  "Make an image of this machine's redis; return whether that was possible."
  (and (ob-mesos-flow--podman-p)
       (zerop (call-process "sh" nil nil nil "-c"
                            "cd $(mktemp -d) && mkdir -p bin tmp &&
for p in /bin/sh /usr/bin/redis-check-rdb; do
  cp -L $p bin/ && ldd $p | grep -o '/[^ ]*' |
    while read -r l; do mkdir -p .$(dirname $l); cp -L $l .$l; done
done && mv bin/redis-check-rdb bin/redis-server &&
tar -c . | podman import -q - localhost/redis"))))

(ert-deftest ob-mesos-the-redis-pair-talks ()
  (let* ((port (ob-mesos-flow--free-port))
         (directory (make-temp-file "redis" t))
         (image (ob-mesos-flow--redis-image))
         (process-environment
          (cons (format "PATH=%s:%s" directory (getenv "PATH")) process-environment))
         (ob-mesos--servers nil))
    ;; The checker is the server too, by another name.
    (make-symbolic-link "/usr/bin/redis-check-rdb"
                        (expand-file-name "redis-server" directory))
    (ob-mesos-tests--with
        (with-temp-buffer
          (insert-file-contents (expand-file-name "../examples/redis.org"
                                                  ob-mesos--directory))
          (let ((text (string-replace "6379" (number-to-string port) (buffer-string))))
            (if image text
              ;; Where no container can run, its program can.
              (replace-regexp-in-string ":dockerimage redis :expose [0-9:]+" "" text))))
      (ob-mesos--submit-buffer #'ignore)
      (ob-mesos-tests--wait
       (lambda () (string-search "#+RESULTS: client\n: hello\n" (buffer-string))))
      (should (equal '("RUNNING")
                     (mapcar #'ob-mesos-task-state (ob-mesos--running))))
      (ob-mesos-tests--go "#+name: redis-server")
      (forward-line 3)
      (ob-mesos-kill)
      (ob-mesos-tests--settle)
      (ob-mesos--disconnect (ob-mesos--server)))))

(defun ob-mesos-flow--free-port ()
  "A port that the embedded cluster offers and nobody listens at."
  (cl-loop for port from (+ 20000 (random 10000)) below 32000
           for listener = (ignore-errors
                            (make-network-process :name "port" :server t
                                                  :host "127.0.0.1" :service port
                                                  :family 'ipv4))
           when listener return (progn (delete-process listener) port)))

(ert-deftest ob-mesos-the-web-server-serves-and-comes-back ()
  (with-temp-buffer
    (insert-file-contents (expand-file-name "../examples/web-server.org"
                                            ob-mesos--directory))
    (org-mode)
    (goto-char (org-babel-find-named-block "server"))
    (let ((inhibit-message t))
      (org-babel-execute-src-block)
      (let ((task (car (ob-mesos--running))) (pids nil))
        (cl-flet ((served ()
                    (let* ((ports (plist-get (ob-mesos-task-data task) :ports))
                           (text (and ports (ob-mesos-flow--get (aref ports 0) "/"))))
                      (and text (string-match "^Hello from \\(.*\\)$" text)
                           (match-string 1 text)))))
          (ob-mesos-tests--wait (lambda () (setq pids (served))))
          (should (equal pids (ob-mesos-task-id task)))
          ;; It ends, and the next one has another name.
          (call-process "perl" nil nil nil "-e"
                        "for (glob '/proc/[0-9]*') {
open(my $f, '<', \"$_/environ\") or next; local $/; my $e = <$f>;
kill 'KILL', /([0-9]+)/ if $e =~ /MESOS_TASK_ID=\\Q$ARGV[0]\\E\\0/; }"
                        pids)
          (ob-mesos-tests--wait
           (lambda () (equal (concat pids ".1") (served)))))
        (goto-char (org-babel-find-named-block "server"))
        (ob-mesos-kill)
        (ob-mesos-tests--settle)))))

(ert-deftest ob-mesos-the-notebook-of-a-web-server-runs ()
  (let* ((directory (file-name-as-directory (make-temp-file "ob-mesos" t)))
         (file (expand-file-name "nginx.org" directory)))
    (copy-file (expand-file-name "../examples/nginx.org" ob-mesos--directory) file)
    (with-current-buffer (find-file-noselect file)
      (let ((inhibit-message t))
        ;; A small Python has no web server; perl, which is there, has a port.
        (unless (zerop (call-process "python3" nil nil nil "-c" "import http.server"))
          (while (search-forward "exec python3 -m http.server $PORT_WEB" nil t)
            (replace-match "exec perl -MIO::Socket::INET -e '
$s = IO::Socket::INET->new(LocalPort => $ENV{PORT_WEB}, Listen => 5) or die;
while ($c = $s->accept()) { while (<$c>) { last if /^\\s*$/ } print $c \"HTTP/1.0 200 OK\\r\\n\\r\\n\", `cat index.html`; close $c }'"
                           t t)))
        (ob-mesos--submit-buffer
         #'ignore)
        (let (task)
          (ob-mesos-tests--wait
           (lambda ()
             (setq task (cl-find "web" (ob-mesos--running) :test #'equal
                                 :key (lambda (task)
                                        (plist-get (ob-mesos-task-block task) :name))))
             (and task
                  (equal "healthy" (plist-get (ob-mesos-task-data task) :message)))))
          (should (string-search
                   "<h1>Hello from the cluster</h1>"
                   (ob-mesos-flow--get
                    (aref (plist-get (ob-mesos-task-data task) :ports) 0)
                    "/index.html")))
          (should (file-exists-p (expand-file-name "site.tar.gz" directory)))
          (ob-mesos--request (ob-mesos--server) :task/kill
                             (list :ids (vector (ob-mesos-task-id task))) #'ignore)
          (ob-mesos-tests--settle)))
      (set-buffer-modified-p nil)
      (kill-buffer))))

(provide 'ob-mesos-flow-tests)
;;; ob-mesos-flow-tests.el ends here
