;;; ob-mesos-combined-tests.el --- Header arguments together  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Several header arguments in one block, and what a batch Emacs does with
;; such documents.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-flow-tests)
(require 'ox-ascii)

(defun ob-mesos-combined--run (text)
  "Execute all blocks of TEXT; return the document."
  (let ((org-confirm-babel-evaluate nil))
    (ob-mesos-tests--with text
      (ob-mesos--submit-buffer-and-wait)
      (ob-mesos-tests--settle)
      (buffer-string))))

(defmacro ob-mesos-combined--in-directory (&rest body)
  "Run BODY in a new directory, which is deleted then."
  `(let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
     (unwind-protect (progn ,@body)
       (delete-directory default-directory t))))

(ert-deftest ob-mesos-tasks-with-one-working-directory-share-no-files ()
  (ob-mesos-combined--in-directory
   (let ((text (ob-mesos-combined--run
                (format "#+begin_src python :mesos yes :dir %1$s :foreach x='(1 2 3 4)
import time; time.sleep(0.2)
return x*10
#+end_src

#+begin_src mesos :dir %1$s :stdin in
cat
#+end_src

#+name: in
| a | b |

#+begin_src mesos :dir %1$s :shebang #!/bin/sh
pwd
#+end_src
" default-directory))))
     (dolist (result '(": ==> 1 <==\n: 10\n: ==> 2 <==\n: 20\n: ==> 3 <==\n: 30\n"
                       ": a\tb\n"))
       (should (string-search result text)))
     (should (string-search (format ": %s\n" (directory-file-name default-directory)) text))
     (should-not (directory-files default-directory nil "\\`[^.]\\|\\.ob-mesos")))))

(ert-deftest ob-mesos-files-are-not-sent-into-a-directory-that-is-not-the-tasks-own ()
  (ob-mesos-combined--in-directory
   (write-region "precious" nil "kept" nil 'silent)
   (make-directory "there")
   (write-region "other" nil "there/kept" nil 'silent)
   (should (string-match-p
            "ERROR: .:files. are written into the working directory"
            (ob-mesos-combined--run
             (ob-mesos-tests--block
              (format ":files kept :dir %s" (expand-file-name "there")) "cat kept"))))
   (should (equal "other" (ob-mesos--bytes "there/kept")))
   (should (string-search ": precious"
                          (ob-mesos-combined--run
                           (ob-mesos-tests--block ":files kept :dir there" "cat kept"))))))

(ert-deftest ob-mesos-a-shebang-does-not-take-the-value-of-a-block-of-another-language ()
  (should (string-search
           "| 1 | 2 |"
           (ob-mesos-combined--run "#+begin_src python :mesos yes :shebang #!/usr/bin/env python3
return [1, 2]
#+end_src\n"))))

(ert-deftest ob-mesos-interactive-input-reaches-a-task-with-a-directory ()
  (ob-mesos-combined--in-directory
   (ob-mesos-tests--with
       (ob-mesos-tests--block (concat ":stdin interactive :dir " default-directory)
                              "echo ask; read a; echo \"got $a\"")
     (ob-mesos-execute)
     (let ((task (car (ob-mesos--running))))
       (ob-mesos-tests--wait (lambda () (string-prefix-p "ask" (ob-mesos-task-tail task))))
       (ob-mesos-send "one")
       (ob-mesos-tests--settle)
       (should (equal ": ask\n: got one\n" (ob-mesos-tests--results)))))))

;;;; Sessions

(ert-deftest ob-mesos-a-session-adds-no-status-to-the-value-of-a-mesos-block ()
  (unwind-protect
      (should (equal "| a | b |\n| c | d |\n"
                     (ob-mesos-tests--run ":session combined :results value"
                                          "echo a b; echo c d")))
    (ob-mesos-tests--end-all)))

;;;; Files

(ert-deftest ob-mesos-a-file-that-a-task-has-made-is-kept-by-org ()
  (let ((org-confirm-babel-evaluate nil)
        (plot (ob-mesos-flow--named "plot" ":results file :file plot.svg :exports results"
                                    "echo svg > plot.svg")))
    (pcase-dolist
        (`(,text . ,action)
         `((,plot . ,(lambda () (org-export-as 'ascii)))
           (,(concat plot "#+begin_src emacs-lisp :var f=plot\nf\n#+end_src\n")
            . ,(lambda ()
                 (goto-char (point-max))
                 (forward-line -1)
                 (should (equal "plot.svg" (org-babel-execute-src-block)))))
           (,(string-replace ":results" ":wait yes :results" plot)
            . ,(lambda () (org-babel-execute-buffer)))))
      (ob-mesos-combined--in-directory
       (ob-mesos-tests--with text
         (funcall action)
         (ob-mesos-tests--settle)
         (should (equal "svg\n" (ob-mesos--bytes "plot.svg"))))))))

(ert-deftest ob-mesos-an-export-makes-files-of-blocks-with-a-directory ()
  (ob-mesos-combined--in-directory
   (ob-mesos-tests--with
       (concat (ob-mesos-tests--block
                ":dir sub :results file :file made.txt :exports results" "echo 1 > made.txt")
               "\n"
               (ob-mesos-tests--block
                ":dir sub :results file :file output.txt :exports results" "echo 2"))
     (let ((text (let ((org-confirm-babel-evaluate nil)) (org-export-as 'ascii))))
       (should (string-search "<file:made.txt>" text))
       (should (string-search "<file:output.txt>" text))
       (should (equal "1\n" (ob-mesos--bytes "made.txt")))
       (should (equal "2\n" (ob-mesos--bytes "output.txt")))))))

(ert-deftest ob-mesos-the-files-of-the-members-of-a-group-are-linked ()
  (dolist (results '("file" "file link"))
    (ob-mesos-combined--in-directory
     (let ((block (ob-mesos-tests--block
                   (format ":foreach x='(one two) :results %s :file out.txt :exports results"
                           results)
                   "echo $x > out.txt")))
       (should (string-suffix-p
                "#+RESULTS:\n- [[file:out-0.txt]]\n- [[file:out-1.txt]]\n"
                (ob-mesos-combined--run block)))
       (ob-mesos-tests--with block
         (should (string-match-p "- <file:out-0.txt>\n- <file:out-1.txt>"
                                 (let ((org-confirm-babel-evaluate nil))
                                   (org-export-as 'ascii)))))
       (should (equal "two\n" (ob-mesos--bytes "out-1.txt")))
       (should-not (file-exists-p "out.txt"))))))

(ert-deftest ob-mesos-the-report-of-a-failed-block-is-written-into-no-file ()
  (let ((org-confirm-babel-evaluate nil))
    (dolist (results '("file :file bad.svg" "table" "html"))
      (ob-mesos-combined--in-directory
       (ob-mesos-tests--with
           (ob-mesos-tests--block (concat ":exports results :results " results) "exit 3")
         (should (string-match-p "^| mesos: .* FAILED: Command exited with status 3"
                                 (org-export-as 'ascii)))
         (should-not (file-exists-p "bad.svg")))))))

;;;; Blocks that need others

(ert-deftest ob-mesos-a-long-report-is-no-good-result ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "a" "" "seq 12; exit 3")
              (ob-mesos-flow--named "b" ":after a" "echo ran"))
    (ob-mesos-flow--execute "a")
    (ob-mesos-tests--settle)
    (should (string-search "#+begin_example\nmesos: a-" (buffer-string)))
    (ob-mesos-flow--execute "b")
    (ob-mesos-tests--settle)
    (should (string-match-p ": mesos: b-.* ERROR: The task needs a" (buffer-string)))))

(ert-deftest ob-mesos-an-export-names-the-blocks-of-a-circle ()
  (ob-mesos-tests--elsewhere
    (let ((file (make-temp-file "ob-mesos" nil ".org"
                                (concat (ob-mesos-flow--named "one" ":var x=two" "echo $x")
                                        (ob-mesos-flow--named "two" ":var x=one" "echo $x")))))
      (pcase-let ((`(,status ,_ ,message)
                   (ob-mesos-tests--call
                    (ob-mesos-tests--emacs "-f" "ob-mesos-batch-export" file "ascii"))))
        (should (equal 1 status))
        (should (string-search "in a circle: one (line 2) -> two (line 7) -> one (line 2)"
                               message)))
      (delete-file file))))

;;;; A working directory that is not the sandbox

(ert-deftest ob-mesos-a-value-is-written-into-a-file-whatever-the-working-directory-is ()
  (let ((dir (make-temp-file "ob-mesos" t)))
    (ob-mesos-tests--with-file
        (ob-mesos-tests--block (format ":dir %s :file out.txt :results output file" dir) "pwd")
      (search-forward "#+begin_src")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-search "[[file:out.txt]]" (buffer-string)))
      (should (equal (concat dir "\n")
                     (with-temp-buffer (insert-file-contents "out.txt") (buffer-string)))))
    (delete-directory dir t)))

(ert-deftest ob-mesos-a-file-that-cannot-be-copied-is-refused-before-its-block-runs ()
  (let ((dir (make-temp-file "ob-mesos" t)))
    (dolist (header '(":file out.txt :results file link" ":fetch out.txt"))
      (ob-mesos-tests--with-file
          (ob-mesos-tests--block (format "%s :dir %s" header dir) "echo here > out.txt")
        (search-forward "#+begin_src")
        (should (string-match-p "out.txt cannot be copied: .:dir., /"
                                (error-message-string
                                 (should-error (ob-mesos-execute) :type 'user-error))))))
    (should-not (directory-files dir nil "out"))
    (delete-directory dir t)))

(ert-deftest ob-mesos-files-of-a-task-have-the-modes-that-the-user-gives-files ()
  (let ((dir (make-temp-file "ob-mesos" t)))
    (ob-mesos-tests--with (ob-mesos-tests--block (format ":dir %s" dir) "echo x > made")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (equal (logand #o666 (default-file-modes))
                     (file-modes (expand-file-name "made" dir)))))
    (delete-directory dir t)))

;;;; What Org does with a result

(ert-deftest ob-mesos-a-placeholder-is-in-no-block-whatever-the-user-wants-of-results ()
  (let ((org-babel-min-lines-for-block-output 0))
    (ob-mesos-tests--with (ob-mesos-tests--block "" "echo hi")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-suffix-p "#+RESULTS:\n#+begin_example\nhi\n#+end_example\n"
                               (buffer-string))))))

(ert-deftest ob-mesos-a-silent-block-has-its-file-and-its-post-block ()
  (dolist (command '(ob-mesos-execute org-babel-execute-src-block))
    (ob-mesos-tests--with-file
        (concat (ob-mesos-tests--block ":results output silent file :file out.txt" "echo text")
                (ob-mesos-tests--block ":results output silent :post log(x=*this*)" "echo words")
                "#+name: log\n#+begin_src emacs-lisp :var x=\"\"\n"
                "(write-region x nil \"post.txt\" t 'silent)\n#+end_src\n")
      (dotimes (_ 2)
        (re-search-forward "begin_src mesos")
        (funcall command)
        (ob-mesos-tests--settle))
      (pcase-dolist (`(,file . ,text) '(("out.txt" . "text\n") ("post.txt" . "words\n")))
        (should (equal text (with-temp-buffer
                              (insert-file-contents file)
                              (buffer-string)))))
      (should-not (string-search "RESULTS" (buffer-string))))))

(ert-deftest ob-mesos-a-file-has-the-mode-that-its-block-wants ()
  (dolist (header '("" ":wait yes "))
    (ob-mesos-tests--with-file
        (ob-mesos-tests--block (concat header ":results file :file run.sh :file-mode (identity #o755)")
                               "echo true")
      (search-forward "begin_src")
      (org-babel-execute-src-block)
      (ob-mesos-tests--settle)
      (should (= #o755 (file-modes "run.sh"))))))

(ert-deftest ob-mesos-eval-query-is-asked-by-commands-for-many-blocks ()
  (ob-mesos-tests--with (concat (ob-mesos-tests--block ":eval query" "echo one")
                                (ob-mesos-tests--block "" "echo two"))
    (let ((org-confirm-babel-evaluate nil) asked)
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (prompt) (push prompt asked) nil)))
        (should-error (ob-mesos-execute-buffer) :type 'user-error))
      (should (= 1 (length asked)))
      (should-not (string-search "RESULTS" (buffer-string))))))

(ert-deftest ob-mesos-a-carriage-return-in-a-body-stays ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "printf 'a\r\nb' | od -An -c | xargs")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-suffix-p ": a r n b\n"
                             (string-replace "\\" "" (buffer-string))))))

(ert-deftest ob-mesos-an-export-keeps-examples-of-placeholders ()
  (require 'ox-ascii)
  (ob-mesos-tests--with
      (concat "#+begin_example\n: mesos:block-k3v7qx2mfa QUEUED\n#+end_example\n\n"
              "#+begin_src org\n: mesos:block-k3v7qx2mfb RUNNING\n#+end_src\n")
    (let ((text (org-export-as 'ascii)))
      (should (string-search "mesos:block-k3v7qx2mfa" text))
      (should (string-search "mesos:block-k3v7qx2mfb" text)))))

(ert-deftest ob-mesos-a-narrowed-subtree-ends-above-the-next-heading ()
  (ob-mesos-tests--with (concat "* b\n" (ob-mesos-tests--block "" "echo hi") "* c\n")
    (org-narrow-to-subtree)
    (search-forward "begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (goto-char (point-max))
    (insert "end")
    (widen)
    (should (string-suffix-p "\nend\n* c\n" (buffer-string)))))

;;;; Files that cannot be written

(ert-deftest ob-mesos-a-file-that-cannot-be-written-is-the-failure-of-its-task ()
  (ob-mesos-tests--with-file
      (ob-mesos-tests--block ":fetch taken" "echo text > taken; echo out")
    (make-directory "taken")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-match-p "^: mesos: .* FAILED: .*taken" (buffer-string)))))

;;;; Edits in odd places

(ert-deftest ob-mesos-text-in-front-of-a-running-block-leaves-its-result-without-a-place ()
  (ob-mesos-tests--with-file
      (ob-mesos-tests--block "" "until [ -e go ]; do sleep 0.05; done; echo done")
    (search-forward "#+begin_src")
    (beginning-of-line)
    (ob-mesos-execute)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (undo-boundary)
      (insert "cc")
      (undo-boundary)
      (ob-mesos--show task)
      (ob-mesos--kill-task task)
      (ob-mesos-tests--settle)
      (should (string-search "mesos:" (buffer-string)))
      (ob-mesos-tests--undo)
      (ob-mesos-reconnect)
      (ob-mesos-tests--wait
       (lambda () (string-match-p "^: mesos: .* KILLED" (buffer-string)))))))

(ert-deftest ob-mesos-lines-of-a-placeholder-that-undo-brings-back-make-one-result ()
  (ob-mesos-tests--with-file (concat (ob-mesos-flow--named "one" "" "sleep 0.5; echo done") "end\n")
    (ob-mesos-flow--execute "one")
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (undo-boundary)
      (goto-char (point-min))
      (search-forward "#+RESULTS: one")
      (beginning-of-line)
      (dotimes (_ 2)
        (delete-region (line-beginning-position) (line-beginning-position 2))
        (undo-boundary))
      (ob-mesos-tests--settle)
      (should-not (string-search "mesos" (cadr (split-string (buffer-string) "end_src"))))
      (dotimes (step 2)
        (ob-mesos-tests--undo (> step 0)))
      (should (string-search "#+end_src\n\n#+RESULTS: one\n: done\n\nend\n" (buffer-string)))
      (should (= 1 (how-many "^#\\+RESULTS" (point-min) (point-max)))))))

;;;; A batch Emacs

(ert-deftest ob-mesos-an-export-loads-the-languages-of-the-document ()
  (ob-mesos-tests--elsewhere
    (let ((file (make-temp-file
                 "ob-mesos" nil ".org"
                 (concat "#+name: three\n#+begin_src python :mesos yes\nreturn 3\n#+end_src\n\n"
                         (ob-mesos-tests--block ":var x=three :exports results"
                                                "echo \"got $x\"")))))
      (should (equal 0 (car (ob-mesos-tests--call
                             (ob-mesos-tests--emacs "-f" "ob-mesos-batch-export"
                                                    file "ascii")))))
      (should (string-search "| got 3" (with-temp-buffer
                                         (insert-file-contents
                                          (concat (file-name-sans-extension file) ".txt"))
                                         (buffer-string))))
      (delete-file file))))

(ert-deftest ob-mesos-an-export-needs-no-block-that-it-does-not-evaluate ()
  (let ((org-confirm-babel-evaluate nil) (on ob-mesos-global-mode))
    (unwind-protect
        (ob-mesos-tests--with
            (concat "* One\n" (ob-mesos-tests--block ":after nosuch :exports none" "echo x")
                    "* Two\n" (ob-mesos-tests--block ":exports results" "echo good")
                    "* Three :noexport:\n"
                    (ob-mesos-flow--named "a" ":after b" "echo a")
                    (ob-mesos-flow--named "b" ":after a" "echo b"))
          (ob-mesos-global-mode)
          (should (string-search "| good" (org-export-as 'ascii)))
          (let ((org-export-use-babel nil))
            (should (org-export-as 'ascii))))
      (unless on (ob-mesos-global-mode -1)))))

(ert-deftest ob-mesos-a-file-that-changes-during-a-run-is-not-overwritten ()
  (ob-mesos-tests--elsewhere
    (let ((file (make-temp-file "ob-mesos" nil ".org")))
      (write-region (ob-mesos-tests--block "" (format "echo more >> %s; echo result" file))
                    nil file nil 'silent)
      (pcase-let ((`(,status ,_ ,message)
                   (ob-mesos-tests--call
                    (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" file))))
        (should (equal 0 status))
        (should (string-search "has changed since; the results are in" message))
        (should-not (string-search "RESULTS" (ob-mesos--bytes file)))
        (let ((others (file-expand-wildcards (concat file ".*"))))
          (should (= 1 (length others)))
          (should (string-search ": result" (ob-mesos--bytes (car others))))
          (mapc #'delete-file others)))
      (delete-file file))))

(ert-deftest ob-mesos-a-file-that-somebody-edits-is-not-overwritten ()
  (ob-mesos-tests--elsewhere
    (ob-mesos-combined--in-directory
     (let ((text (ob-mesos-tests--block "" "echo result")))
       (write-region text nil "a.org" nil 'silent)
       (make-symbolic-link "somebody@elsewhere.1234:1700000000" ".#a.org")
       (pcase-let ((`(,status ,_ ,message)
                    (ob-mesos-tests--call
                     (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" "a.org"))))
         (should (equal 0 status))
         (should (string-search "a.org is being edited; the results are in" message))
         (should (equal text (ob-mesos--bytes "a.org")))
         (should (string-search ": result" (ob-mesos--bytes
                                            (car (file-expand-wildcards "a.org.*"))))))))))

(ert-deftest ob-mesos-a-document-can-have-any-name ()
  (ob-mesos-tests--elsewhere
    (ob-mesos-combined--in-directory
     (write-region (ob-mesos-tests--block "" "echo result") nil "a.txt" nil 'silent)
     (should (equal 0 (car (ob-mesos-tests--call
                            (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" "a.txt")))))
     (should (string-search ": result" (ob-mesos--bytes "a.txt"))))))

(ert-deftest ob-mesos-a-library-that-cannot-be-loaded-is-reported ()
  (ob-mesos-combined--in-directory
   (write-region "(error \"boom\")" nil "ob-boomlang.el" nil 'silent)
   (let ((load-path (cons default-directory load-path)) (inhibit-message t))
     (ob-mesos-tests--with "#+begin_src boomlang :eval no\n#+end_src\n"
       (ob-mesos--require-languages)))))

(ert-deftest ob-mesos-a-batch-emacs-names-the-block-it-cannot-ask-about ()
  (ob-mesos-tests--elsewhere
    (let ((file (make-temp-file "ob-mesos" nil ".org"
                                (ob-mesos-flow--named "asked" ":eval query" "echo hi"))))
      (pcase-let ((`(,status ,_ ,message)
                   (ob-mesos-tests--call
                    (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" file))))
        (should (equal 1 status))
        (should (string-search "asked is not run" message)))
      (delete-file file))))

(ert-deftest ob-mesos-an-interrupted-run-keeps-the-results-that-have-arrived ()
  (ob-mesos-tests--elsewhere
    (let* ((file (make-temp-file "ob-mesos" nil ".org"
                                 (concat (ob-mesos-tests--block "" "echo result") "\n"
                                         (ob-mesos-tests--block "" "sleep 600"))))
           (output (generate-new-buffer " *output*"))
           (process (make-process :name "run" :buffer output :connection-type 'pipe
                                  :command (ob-mesos-tests--emacs
                                            "-f" "ob-mesos-batch-run" file))))
      (ob-mesos-tests--wait
       (lambda () (with-current-buffer output
                    (save-excursion (goto-char (point-min))
                                    (search-forward "1 of 2 done" nil t)))))
      (interrupt-process process)
      (ob-mesos-tests--wait (lambda () (not (process-live-p process))))
      (with-temp-buffer
        (insert-file-contents file)
        (should (re-search-forward "^#\\+RESULTS:\n: result$" nil t))
        (should (re-search-forward "^: mesos: .* KILLED: The run was interrupted$" nil t)))
      (kill-buffer output)
      (delete-file file))))

(provide 'ob-mesos-combined-tests)
;;; ob-mesos-combined-tests.el ends here
