;;; ob-mesos-export-tests.el --- Exports  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What is exported is held against what is exported with ob-shell.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-flow-tests)
(require 'ox-ascii)
(require 'ox-html)
(require 'ox-md)
(require 'ox-latex)
(require 'ox-org)

(defun ob-mesos-export--as (back-end text)
  "TEXT exported by BACK-END, its body only."
  (ob-mesos-tests--with text
    (org-export-as back-end nil nil t)))

(defun ob-mesos-export--same (text)
  "Hold the exports of TEXT, with LANG in it, against those with ob-shell."
  (dolist (back-end '(ascii html md latex org))
    (let ((make (lambda (lang)
                  (replace-regexp-in-string
                   ;; Names that Org makes up.
                   "org[0-9a-f]\\{7\\}" "ID"
                   (replace-regexp-in-string
                    "begin_src mesos\\|src src-mesos\\|src_mesos\\|language=mesos\\|mesos:" "MESOS"
                    (replace-regexp-in-string
                     "begin_src sh\\|src src-sh\\|src_sh\\|language=bash\\|language=sh\\|sh:" "MESOS"
                     (ob-mesos-export--as
                      back-end (string-replace "LANG" lang text))
                     t t)
                    t t)
                   t t))))
      (ert-info ((format "%s of %s" back-end text))
        (should (equal (funcall make "mesos") (funcall make "sh")))))))

(ert-deftest ob-mesos-every-kind-of-export-is-as-with-ob-shell ()
  (dolist (exports '("code" "results" "both" "none"))
    (dolist (results '("output" "output table" "output list" "output raw" "output drawer"
                       "output code" "output html" "output verbatim replace"
                       "output silent" "output append" "output none"))
      (ob-mesos-export--same
       (format "before\n\n#+begin_src LANG :exports %s :results %s\necho a 1; echo b 2\n#+end_src\n\nafter\n"
               exports results)))))

(ert-deftest ob-mesos-what-is-not-to-be-evaluated-is-not ()
  (dolist (header '(":eval never-export" ":eval no-export" ":eval no" ":eval never"))
    (let ((file (make-temp-name (expand-file-name "ob-mesos" temporary-file-directory))))
      (ob-mesos-export--same
       (format "#+begin_src LANG :results output :exports both %s\ntouch %s\n#+end_src\n\n#+RESULTS:\n: old\n"
               header file))
      (should-not (file-exists-p file))))
  (let ((org-export-use-babel nil))
    (ob-mesos-export--same "#+begin_src LANG :results output :exports both\necho new\n#+end_src\n\n#+RESULTS:\n: old\n"))
  (ob-mesos-export--same "* COMMENT Not this\n#+begin_src LANG :exports both\nexit 1\n#+end_src\n* This\n#+begin_src LANG :results output :exports both\necho this\n#+end_src\n"))

(ert-deftest ob-mesos-who-wants-to-be-asked-is-asked-once-and-obeyed ()
  (dolist (answer '(t nil))
    (let ((asked 0) (org-confirm-babel-evaluate nil))
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (_) (cl-incf asked) answer)))
        (let ((text (ob-mesos-export--as
                     'ascii
                     (concat (ob-mesos-tests--block ":exports results" "echo first")
                             "\n"
                             (ob-mesos-tests--block ":exports results :eval query"
                                                    "echo second")))))
          (should (= 1 asked))
          (should (string-search "first" text))
          (should (eq answer (and (string-search "second" text) t))))))))

(ert-deftest ob-mesos-calls-and-inline-blocks-are-exported ()
  (ob-mesos-export--same
   "#+name: twice
#+begin_src LANG :var n=1 :results output :exports none
echo $((2 * n))
#+end_src

There are src_LANG[:results output]{echo 3} of call_twice(n=4).

#+call: twice(n=5)

#+call: twice(n=twice(n=6)) :exports results
"))

(ert-deftest ob-mesos-values-go-from-block-to-block-in-an-export ()
  (let ((file (make-temp-file "ob-mesos")))
    (should (equal '(": 23" ": 2")
                   (seq-filter
                    (lambda (line) (string-prefix-p ":" line))
                    (split-string
                     (ob-mesos-export--as
                     'org
                     (concat (ob-mesos-flow--named "bottom" ":var l=left r=right :exports results"
                                                   "echo $((l + r))")
                             (ob-mesos-flow--named "right" ":var x=top :exports none" "echo $((x * 10))")
                             (ob-mesos-flow--named "left" ":var x=top :exports none" "echo $((x + 1))")
                             (ob-mesos-flow--named "top" ":exports results"
                                                   (format "echo x >> %s; echo 2" file))))
                     "\n"))))
    (should (equal "x\n" (with-temp-buffer (insert-file-contents file)
                                           (buffer-string))))))

(ert-deftest ob-mesos-all-blocks-of-an-export-run-side-by-side ()
  (let ((directory (make-temp-file "ob-mesos" t)))
    ;; Each waits until all have begun.
    (ob-mesos-export--as
     'ascii
     (mapconcat
      (lambda (n)
        (ob-mesos-tests--block
         ":cpus 0.1 :exports results"
         (format "touch %s/%d; until [ $(ls %s | wc -l) = 8 ]; do sleep 0.05; done"
                 directory n directory)))
      (number-sequence 1 8) "\n"))
    (should (= 8 (length (directory-files directory nil "[0-9]"))))))

(ert-deftest ob-mesos-a-placeholder-is-not-exported-but-its-result-is ()
  (ob-mesos-tests--with
      (concat "#+begin_src mesos :exports both :eval no-export\nsleep 0.5; echo now it is here\n#+end_src\n")
    (org-babel-execute-src-block)
    (should (string-search "QUEUED" (buffer-string)))
    (let ((text (org-export-as 'ascii nil nil t)))
      (should (string-search "now it is here\n" text))
      (should-not (string-match-p "QUEUED\\|RUNNING" text)))
    (ob-mesos-tests--settle))
  (let ((text (ob-mesos-export--as
               'ascii "#+begin_src mesos :exports both :eval no-export\necho\n#+end_src\n\n#+RESULTS:\n: mesos:gone-abc RUNNING since 12:00:00\n: | a line\n")))
    (should-not (string-match-p "RUNNING\\|a line" text))))

(ert-deftest ob-mesos-what-an-export-submits-early-runs-once ()
  (let ((file (make-temp-file "ob-mesos")))
    (ob-mesos-export--as
     'ascii
     (concat "#+name: one\n"
             (ob-mesos-tests--block ":exports results" (format "echo 1; echo one >> %s" file))
             "\n#+name: two\n"
             (ob-mesos-tests--block ":exports results :stdin one"
                                    (format "cat; echo two >> %s" file))
             "\n"
             (ob-mesos-tests--block ":exports results :var x=two"
                                    (format "echo $x; echo three >> %s" file))))
    (should (equal "one\nthree\ntwo\n"
                   (with-temp-buffer
                     (insert-file-contents file)
                     (sort-lines nil (point-min) (point-max))
                     (buffer-string))))))

(ert-deftest ob-mesos-an-unknown-inline-placeholder-takes-no-text-along ()
  (ob-mesos-tests--with
      "Text {{{results(=mesos:block-aaaaaaaaaa QUEUED=)}}} and more\nsecond line.\n"
    (should (equal "Text and more second line.\n"
                   (replace-regexp-in-string
                    "more\n" "more "
                    (ob-mesos-export--as 'ascii (buffer-string)))))))

(ert-deftest ob-mesos-lisp-in-an-export-is-evaluated-once ()
  (defvar ob-mesos-export--count 0)
  (setq ob-mesos-export--count 0)
  (ob-mesos-export--as
   'ascii
   (concat "#+name: lisp\n#+begin_src emacs-lisp :var x=one :exports results\n(cl-incf ob-mesos-export--count)\n#+end_src\n\n"
           (ob-mesos-flow--named "one" ":exports results" "echo 1")
           (ob-mesos-flow--named "two" ":exports results" "echo 2")))
  (should (= 1 ob-mesos-export--count)))

(ert-deftest ob-mesos-a-batch-export-ends-with-what-happened ()
  (let* ((file (make-temp-file "ob-mesos" nil ".org"))
         (export
          (lambda (&rest words)
            (ob-mesos-tests--elsewhere
              (ob-mesos-tests--call (apply #'ob-mesos-tests--emacs words))))))
    (dolist (case '(("echo fine" . 0) ("echo bad; exit 3" . 1)))
      (write-region (ob-mesos-tests--block ":exports results" (car case)) nil file)
      (should (equal (cdr case)
                     (car (funcall export "-f" "ob-mesos-batch-export" file "ascii"))))
      ;; An Emacs of the user's own ends as it would without us.
      (should (equal 0
                     (car (funcall export file "--eval" "(setq org-confirm-babel-evaluate nil)"
                                   "-f" "org-ascii-export-to-ascii"))))
      (with-temp-buffer
        (insert-file-contents (concat (file-name-sans-extension file) ".txt"))
        (should (string-search (if (zerop (cdr case)) "fine" "exit status: 3")
                               (buffer-string)))))
    (write-region "#+name: one\n#+begin_src mesos :exports results\necho 1\n#+end_src

#+begin_src mesos :exports results :stdin one\ncat\n#+end_src\n"
                  nil file)
    (let ((said (nth 2 (funcall export "-f" "ob-mesos-batch-run" file))))
      (should (string-match-p "2 of 2 done.*\n\\'" said)))))

(ert-deftest ob-mesos-a-document-that-names-its-master-is-run-as-it-stands ()
  (let ((file (make-temp-file "ob-mesos" nil ".org")))
    (cl-flet ((run (text &rest words)
                (write-region text nil file nil 'silent)
                (ob-mesos-tests--elsewhere
                  (nth 1 (ob-mesos-tests--call
                          (apply #'ob-mesos-tests--emacs "-f" "ob-mesos-batch-run"
                                 file "--stdout" words))))))
      (let ((shell "#+header: :cpus 2 :mem 128
#+BEGIN_SRC sh\necho ${MESOS_TASK_ID:+there}\n#+END_SRC\n")
            (python "\n#+begin_src python :results output
import os; print(len(os.environ.get('MESOS_TASK_ID', '')) > 0)\n#+end_src\n"))
        (should (string-search "\n: there\n"
                               (run (concat "#+address: 127.0.0.1\n#+master: local\n\n" shell))))
        (should-not (string-search "RESULTS" (run (concat shell python))))
        (let ((all (run (concat shell python) "--all-blocks")))
          (should (string-search "\n: there\n" all))
          (should (string-search "\n: True\n" all)))))
    (delete-file file)))

(ert-deftest ob-mesos-a-write-protected-document-is-not-changed ()
  (let ((file (make-temp-file "ob-mesos" nil ".org"))
        (text "#+begin_src mesos\necho hi\n#+end_src\n"))
    (cl-flet ((run (&rest words)
                (ob-mesos-tests--elsewhere
                  (ob-mesos-tests--call
                   (apply #'ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" file words)))))
      (write-region text nil file nil 'silent)
      (set-file-modes file #o444)
      (pcase-let ((`(,status ,_ ,said) (run)))
        (should (equal 1 status))
        (should (string-search "is write-protected; --stdout" said)))
      (pcase-let ((`(,status ,shown ,_) (run "--stdout")))
        (should (equal 0 status))
        (should (string-search "\n: hi\n" shown)))
      (should (equal text (with-temp-buffer (insert-file-contents file)
                                            (buffer-string)))))
    (delete-file file)))

(ert-deftest ob-mesos-endless-blocks-are-followed-side-by-side-and-end-with-us ()
  (let* ((file (make-temp-file "ob-mesos" nil ".org"))
         (said "")
         pids run)
    (copy-file (expand-file-name "../examples/job.org" ob-mesos--directory) file t)
    (setq run (ob-mesos-tests--elsewhere
                (make-process
                 :name "run" :noquery t :connection-type 'pipe
                 :command (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run"
                                                 file "--follow")
                 :filter (lambda (_process text) (setq said (concat said text))))))
    (unwind-protect
        (ob-mesos-tests--wait
         (lambda ()
           (setq pids
                 (mapcar (lambda (name)
                           (and (string-match
                                 (format "^%s-[a-z0-9]+ | %s: process \\([0-9]+\\)" name name)
                                 said)
                                (match-string 1 said)))
                         '("first" "second")))
           (not (memq nil pids))))
      (interrupt-process run)
      (ob-mesos-tests--wait (lambda () (not (process-live-p run)))))
    (dolist (pid pids)
      (ob-mesos-tests--wait
       (lambda () (not (file-exists-p (concat "/proc/" pid))))))
    (delete-file file)))

;;;; From a shell

(ert-deftest ob-mesos-run-writes-results-and-exits-with-what-happened ()
  (let ((file (make-temp-file "ob-mesos" nil ".org"
                              (ob-mesos-tests--block "" "echo hi"))))
    (cl-flet ((run (&rest words)
                (car (ob-mesos-tests--call
                      (apply #'ob-mesos-tests--emacs "-f" "ob-mesos-batch-run"
                             words)))))
      (ob-mesos-tests--elsewhere
        (should (equal 0 (run file)))
        (with-temp-buffer
          (insert-file-contents file)
          (should (string-match-p "#\\+RESULTS:\n: hi\n" (buffer-string)))
          (erase-buffer)
          (insert (ob-mesos-tests--block "" "exit 9"))
          (write-region nil nil file nil 'silent))
        (should (equal 1 (run file)))
        (delete-file file)
        (should (equal 2 (run file)))
        (should (equal 2 (run temporary-file-directory)))
        (should (equal 2 (run)))))))

(defun ob-mesos-export--batch-run (file)
  "Run FILE in an Emacs of its own; return (STATUS STDOUT STDERR)."
  (ob-mesos-tests--elsewhere
    (ob-mesos-tests--call
     (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" file))))

(ert-deftest ob-mesos-a-result-that-a-document-cannot-have-makes-it-utf-8 ()
  (pcase-dolist (`(,above . ,below)
                 '(("") ("# -*- coding: latin-1 -*-\n")
                   ("" . "\n# Local Variables:\n# coding: latin-1\n# End:\n")))
    (let ((file (make-temp-file "ob-mesos" nil ".org"))
          (text (concat above "Grün.\n"
                        (ob-mesos-tests--block "" "printf '\\342\\202\\254\\n'") below)))
      (let ((coding-system-for-write 'latin-1))
        (write-region text nil file nil 'silent))
      (pcase-let ((`(,status ,_ ,said)
                   (ob-mesos-export--batch-run file)))
        (should (equal 0 status))
        (should (string-search "was saved as utf-8: iso-latin-1 cannot encode €" said)))
      (with-temp-buffer
        (insert-file-contents file)
        (should (equal (concat (string-replace
                                "latin-1" "utf-8" (string-remove-suffix (or below "") text))
                               "\n#+RESULTS:\n: €\n"
                               (string-replace "latin-1" "utf-8" (or below "")))
                       (buffer-string))))
      (delete-file file))))

(ert-deftest ob-mesos-a-damaged-utf-8-document-is-left-as-it-is ()
  (let ((file (make-temp-file "ob-mesos" nil ".org"))
        (bytes (encode-coding-string
                (concat "Gün \x3fffff.\n"
                        (ob-mesos-tests--block "" "printf '\\342\\202\\254\\n'"))
                'utf-8)))
    (let ((coding-system-for-write 'no-conversion))
      (write-region bytes nil file nil 'silent))
    (pcase-let ((`(,status ,_ ,said)
                 (ob-mesos-export--batch-run file)))
      (should (equal 1 status))
      (should (string-search "bytes that are not valid UTF-8" said)))
    (should (equal bytes (ob-mesos--bytes file)))
    (delete-file file)))

(ert-deftest ob-mesos-an-inline-block-that-fails-is-exported-with-its-report ()
  (let ((file (make-temp-file "ob-mesos" nil ".org" "Inline src_mesos{exit 4} end.\n")))
    (ob-mesos-tests--elsewhere
      (should (equal 1 (car (ob-mesos-tests--call
                             (ob-mesos-tests--emacs "-f" "ob-mesos-batch-export"
                                                    file "ascii"))))))
    (with-temp-buffer
      (insert-file-contents (concat (file-name-sans-extension file) ".txt"))
      (should (string-match-p "exit[ \n]status:[ \n]4" (buffer-string))))))

(ert-deftest ob-mesos-options-there-are-not-are-refused ()
  (let ((file (make-temp-file "ob-mesos" nil ".org"
                              (ob-mesos-tests--block ":exports results" "echo hi"))))
    (pcase-dolist (`(,function ,words ,refusal)
                   `(("ob-mesos-batch-run" (,file "--stdut") "There is no option --stdut")
                     ("ob-mesos-batch-run" (,file "--master") "--master needs an address")
                     ("ob-mesos-batch-run" (,file "b.org") "b.org is another")
                     ("ob-mesos-batch-run" ("no-such.org") "There is no document no-such.org")
                     ("ob-mesos-batch-export" (,file "html" "md") "Export to one of")
                     ("ob-mesos-batch-export" (,file "html" "--follow")
                      "There is no option --follow")
                     ("ob-mesos-batch-export" (,file "--all-blocks") "Export to one of")))
      (pcase-let ((`(,status ,_ ,said)
                   (ob-mesos-tests--call
                    (apply #'ob-mesos-tests--emacs "-f" function words))))
        (should (equal 2 status))
        (should (string-search refusal said))))
    (ob-mesos-tests--elsewhere
      (should (equal 0 (car (ob-mesos-tests--call
                             (ob-mesos-tests--emacs "-f" "ob-mesos-batch-export" file
                                                    "--all-blocks" "ascii"))))))
    (delete-file file)))

(ert-deftest ob-mesos-the-command-can-be-a-link ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (link (expand-file-name "ob-mesos" directory)))
    (make-symbolic-link (expand-file-name "../ob-mesos" ob-mesos--directory) link)
    (pcase-let ((`(,status ,said ,_) (ob-mesos-tests--call (list link "version"))))
      (should (equal 0 status))
      (should (string-match-p "[0-9]+\\.[0-9]+" said)))
    (delete-directory directory t)))

(ert-deftest ob-mesos-two-runs-can-compile-at-once ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (process-environment (cons (concat "XDG_CACHE_HOME=" directory) process-environment))
         (command (expand-file-name "../ob-mesos" ob-mesos--directory))
         (processes
          (cl-loop repeat 2
                   collect (make-process :name "run" :noquery t :connection-type 'pipe
                                         ;; It needs the Lisp to say so.
                                         :command (list command "run" "/no-such-document")))))
    (ob-mesos-tests--wait (lambda () (cl-notany #'process-live-p processes)))
    (should (equal '(2 2) (mapcar #'process-exit-status processes)))
    (should (= 1 (length (directory-files (expand-file-name "ob-mesos" directory) nil
                                          "\\`elisp-"))))
    (should-not (directory-files (expand-file-name "ob-mesos" directory) nil "\\`tmp"))
    (delete-directory directory t)))

(ert-deftest ob-mesos-a-run-tells-of-its-own-tasks-only ()
  (let (told)
    (cl-letf (((symbol-function 'ob-mesos--progress) (lambda (text &rest _) (push text told))))
      (ob-mesos--tell-of-waiting '(:id "unknown" :state "QUEUED" :message "waits for its values"))
      (should-not told))))

(ert-deftest ob-mesos-every-command-has-the-help-of-ob-mesos ()
  (let ((command (expand-file-name "../ob-mesos" ob-mesos--directory)))
    (dolist (words '(("help") ("--help") ("run" "--help") ("export" "-h")
                     ("exec" "--help") ("serve" "--help")))
      (pcase-let ((`(,status ,said ,_) (ob-mesos-tests--call (cons command words))))
        (should (equal 0 status))
        (should (string-prefix-p "Usage: ./ob-mesos COMMAND" said))))
    (dolist (words '(("version" "x") ("demo" "x") ("build" "x") ("package" "x")))
      (pcase-let ((`(,status ,_ ,said) (ob-mesos-tests--call (cons command words))))
        (should (equal 2 status))
        (should (string-prefix-p "Usage: ./ob-mesos COMMAND" said))))))

(ert-deftest ob-mesos-what-needs-a-failed-block-does-not-run-in-an-export ()
  (require 'ox-ascii)
  (dolist (early '(t nil))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "f" ":exports results" "exit 2")
                (ob-mesos-flow--named
                 "g" (concat ":exports results :var x=f"
                             ;; Lisp is evaluated when it is the turn of the block.
                             (if early "" " y=(identity 1)"))
                 "echo \"ran with $x\"")
                "#+call: g()\n\nInline src_mesos[:var x=f]{echo \"ran with $x\"} there.\n")
      (let* ((org-confirm-babel-evaluate nil)
             (text (org-export-as 'ascii)))
        (should-not (string-search "ran with" text))
        (should (string-match-p "mesos: f-.* FAILED: Command exited with status 2" text))
        (should (= 3 (with-temp-buffer
                       (insert text)
                       (how-many "which[ \n]is[ \n]FAILED" (point-min) (point-max)))))
        (should (string-match-p "mesos: g-.* ERROR: The task needs f" text))))))

(ert-deftest ob-mesos-no-way-to-need-a-failed-block-runs-in-an-export ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (pcase-dolist (`(,header ,needs ,body)
                   '(("" ":foreach x=f :var y=(identity 1)" "echo ran with $x")
                     ("" ":stdin f :cpus (identity 0.1)" "echo ran with $(cat)")
                     (":results file :file f.txt" ":var x=f y=(identity 1)" "echo ran; cat $x")
                     ("" ":noweb yes :var y=(identity 1)" "echo ran <<f()>>")))
      (ob-mesos-tests--with
          (concat (ob-mesos-flow--named "f" (concat ":exports results " header) "exit 2")
                  (ob-mesos-flow--named "g" (concat ":exports results " needs) body))
        (let* ((org-confirm-babel-evaluate nil)
               (text (org-export-as 'ascii)))
          (ert-info (needs)
            (should-not (string-match-p "^| \\(?:==>\\|ran\\)" text))
            (should (string-match-p "mesos: g-.* ERROR: The task needs f" text))))))
    (delete-directory default-directory t)))

(ert-deftest ob-mesos-a-block-that-cannot-be-submitted-fails-alone-in-an-export ()
  (pcase-dolist (`(,header . ,why) '((":foreach nix" . ":foreach. cannot be \"nix\"")
                                     (":files no-such-file" . "no-such-file")
                                     (":foreach e=nothere" . "nothere")
                                     (":after nosuch" . "nosuch")
                                     (":cpus zwei" . ":cpus. cannot be \"zwei\"")))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "bad" (concat ":exports results " header) "echo x")
                (ob-mesos-flow--named "good" ":exports results" "echo good"))
      (let* ((org-confirm-babel-evaluate nil)
             (text (org-export-as 'ascii)))
        (ert-info (header)
          (should (string-match-p "mesos: bad-.* ERROR" text))
          (should (string-match-p (replace-regexp-in-string " " "[ \n|]+" why) text))
          (should (string-match-p "^| good" text)))))))

(provide 'ob-mesos-export-tests)
;;; ob-mesos-export-tests.el ends here
