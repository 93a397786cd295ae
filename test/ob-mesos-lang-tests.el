;;; ob-mesos-lang-tests.el --- Other languages, files  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Blocks of other languages are held against their own back ends.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-mode)
(require 'ob-mesos-run)
(require 'ob-python)
(require 'ob-perl)
(require 'ob-shell)

(setq org-babel-python-command "python3")

(defun ob-mesos-lang--run (text)
  "The results of the last block of TEXT, with `ob-mesos-global-mode' on."
  (ob-mesos-tests--with text
    (ob-mesos-global-mode)
    (goto-char (point-max))
    (re-search-backward "^#\\+begin_src")
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (goto-char (point-max))
    (re-search-backward "^#\\+RESULTS")
    (buffer-substring-no-properties (point) (point-max))))

(defun ob-mesos-lang--same (lang header body &optional before)
  "Hold a block of LANG with HEADER and BODY against LANG's own back end.
BEFORE is text above it."
  (let ((text (lambda (more)
                (concat before
                        (format "#+begin_src %s %s %s\n%s\n#+end_src\n"
                                lang header more body)))))
    (ert-info ((format "%s %s" lang header))
      (should (equal (ob-mesos-lang--seen (funcall text ":mesos yes"))
                     (ob-mesos-lang--seen (funcall text "")))))))

(defun ob-mesos-lang--seen (text)
  "The results of the last block of TEXT, and what Org shows as its errors."
  (let ((name "*Org-Babel Error Output*"))
    (when (get-buffer name) (kill-buffer name))
    (cons (ob-mesos-lang--run text)
          (when (get-buffer name)
            (with-current-buffer name (buffer-string))))))

(defconst ob-mesos-lang--table "#+name: t\n| a | 1 |\n|---+---|\n| b | 2 |\n\n"
  "A table to pass.")

(ert-deftest ob-mesos-a-failed-program-without-a-value-says-nothing-of-its-file ()
  (let ((result (ob-mesos-lang--run
                 "#+begin_src python :mesos yes :results value
x = = 1\n#+end_src\n")))
    (should (string-search "exit status: 1" result))
    (should-not (string-search "No such file" result))))

(ert-deftest ob-mesos-python-runs-there-as-it-does-here ()
  (dolist (results (append
                    (and (zerop (call-process "python3" nil nil nil "-c" "import pprint"))
                         '("value pp"))
                    '("" "output" "value" "value table" "value list" "value verbatim"
 "value raw" "value drawer" "value code" "value html"
                      "output table" "output raw" "value scalar"
                      "value org" "output code" "output drawer")))
    (let ((header (if (string-empty-p results) "" (concat ":results " results))))
      (ob-mesos-lang--same
       "python" header
       (if (string-search "output" results) "print('x y')\nprint(1, 2)"
         "a = [['x', 1], ['y', 2.5]]\nreturn a"))
      (ob-mesos-lang--same
       "python" (concat header " :var t=t n=3 s=\"it's\"")
       (if (string-search "output" results) "print(t, n, s)"
         "return [t, n, s]")
       ob-mesos-lang--table)))
  (ob-mesos-lang--same "python" ":results value :prologue \"import math\" :epilogue \"\""
                       "return math.sqrt(16)")
  (ob-mesos-lang--same "python" ":results value :colnames yes :var t=t"
                       "return t" ob-mesos-lang--table))

(ert-deftest ob-mesos-a-shell-block-runs-there-as-it-does-here ()
  (dolist (header '("" ":results output" ":results value" ":results table"
                    ":results output list" ":results verbatim" ":results raw"
                    ":cmdline one 'two three'" ":stdin t" ":stdin t :cmdline x"
                    ":shebang #!/usr/bin/env python3 :results output"))
    (ob-mesos-lang--same
     "bash" (concat header (unless (string-search "python" header) " :var t=t"))
     (cond ((string-search "python" header) "print('from python')")
           ((string-search "stdin" header) "cat; echo \"$1\"")
           (t "echo \"$1\" \"$2\"; echo ${t[@]}; echo a b"))
     ob-mesos-lang--table)))

(ert-deftest ob-mesos-perl-ruby-and-r-run-there-as-they-do-here ()
  (dolist (case '(("perl" "perl" "[['a', 1], ['b', 2]]" "print \"x $n\\n\"")
                  ("ruby" "ruby" "[['a', 1], ['b', n]]" "puts \"x #{n}\"")
                  ("R" "R" "data.frame(a=c(1,n), b=c('x','y'))" "cat('x', n, '\\n')")))
    (pcase-let ((`(,program ,lang ,value ,output) case))
      (when (and (executable-find program)
                 (require (intern (concat "ob-" lang)) nil t))
        (ob-mesos-lang--same lang ":results value :var n=2" value)
        (ob-mesos-lang--same lang ":results output :var n=2" output)
        (when (equal lang "R")
          (ob-mesos-lang--same lang ":results value :var t=t :colnames yes"
                               "t$twice <- 2 * t[,2]; t" ob-mesos-lang--table))))))

(ert-deftest ob-mesos-a-value-file-that-is-copied-stays-as-it-was-written ()
  ;; As ob-octave does: it copies the value without its empty lines.
  (cl-flet ((contents (file) (with-temp-buffer
                               (insert-file-contents file)
                               (buffer-string))))
    (should (equal '("\n" "")
                   (ob-mesos-file-replay
                    "\n"
                    (lambda ()
                      (let ((value (org-babel-temp-file "value-")))
                        (org-babel-eval "octave" "")
                        (let ((copy (org-babel-temp-file "copy-")))
                          (with-temp-file copy)
                          (list (contents value) (contents copy))))))))))

(ert-deftest ob-mesos-a-file-name-handler-that-is-added-meanwhile-is-kept ()
  (let* ((entry (cons "\\`/no-such-handler:" #'ignore))
         (before file-name-handler-alist))
    (unwind-protect
        (progn
          (ob-mesos-file-replay "" (lambda () (push entry file-name-handler-alist)))
          (should (equal (cons entry before) file-name-handler-alist)))
      (setq file-name-handler-alist (delq entry file-name-handler-alist)))))

(ert-deftest ob-mesos-without-the-mode-a-block-is-refused-and-not-run-here ()
  (ob-mesos-tests--with "#+begin_src python :mesos yes :results output\nprint('here')\n#+end_src\n"
    (ob-mesos-global-mode -1)
    (unwind-protect
        (dolist (run (list #'org-babel-execute-src-block #'org-ctrl-c-ctrl-c))
          (let ((err (should-error (funcall run) :type 'user-error)))
            (should (string-match-p "needs .ob-mesos-global-mode."
                                   (error-message-string err)))))
      (ob-mesos-global-mode))
    (should-not (string-search "RESULTS" (buffer-string)))))

(ert-deftest ob-mesos-a-block-that-does-not-say-so-runs-here ()
  (ob-mesos-tests--with "#+begin_src python :results output\nprint('here')\n#+end_src\n"
    (org-babel-execute-src-block)
    (should (equal ": here\n" (ob-mesos-tests--results)))))

(ert-deftest ob-mesos-languages-pass-values-to-each-other ()
  (should (equal "#+RESULTS:\n: 7\n"
                 (ob-mesos-lang--run "#+name: one
#+begin_src perl :mesos yes :results value
3 + 3
#+end_src

#+begin_src python :mesos yes :var x=one
return x + 1
#+end_src
"))))

(ert-deftest ob-mesos-tangling-and-editing-are-as-ever ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (file (expand-file-name "doc.org" directory)))
    (write-region "#+begin_src python :mesos yes :tangle out.py\nprint(1)\n#+end_src\n"
                  nil file)
    (with-current-buffer (find-file-noselect file)
      (ob-mesos-global-mode)
      (org-babel-tangle)
      (kill-buffer))
    (should (equal "print(1)\n"
                   (ob-mesos--bytes (expand-file-name "out.py" directory)))))
  (ob-mesos-tests--with
      "#+begin_src python :mesos yes :cpus 1\nprint(1)\n#+end_src

#+begin_src mesos :lang python\nprint(2)\n#+end_src\n"
    (ob-mesos-global-mode)
    (dolist (text '("print(1)" "print(2)"))
      (ob-mesos-tests--go text)
      (org-edit-special)
      (should (eq major-mode 'python-mode))
      (goto-char (point-max))
      (insert "# more")
      (org-edit-src-exit)
      (should (string-match-p (concat (regexp-quote text) "\n *# more\n#\\+end_src")
                              (buffer-string))))))

;;;; Files

(ert-deftest ob-mesos-a-file-a-task-has-made-is-brought-and-linked ()
  (let* ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t)))
         (bytes (apply #'unibyte-string (number-sequence 0 255))))
    (should (equal "[[file:plot.png]]\n"
                   (ob-mesos-tests--run
                    ":results file :file plot.png :fetch more.txt sub/deep.txt"
                    "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %o $i)\"; i=$((i+1)); done > plot.png
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do cat plot.png plot.png > p && mv p plot.png; done
echo more > more.txt; mkdir sub; echo deep > sub/deep.txt; echo not this")))
    (should (equal (ob-mesos--bytes "plot.png")
                   (apply #'concat (make-list 8192 bytes))))
    (should (equal "more\n" (ob-mesos--bytes "more.txt")))
    (should (equal "deep\n" (ob-mesos--bytes "sub/deep.txt")))))

(ert-deftest ob-mesos-files-with-spaces-in-their-names-are-a-list ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (dolist (fetch '(":fetch '(\"my plot.txt\" \"b.txt\")" ":fetch b.txt \"my plot.txt\""))
      (ob-mesos-tests--run (concat fetch " :cache yes")
                           (format "echo %d > 'my plot.txt'; echo > b.txt" (length fetch)))
      (should (equal (format "%d\n" (length fetch)) (ob-mesos--bytes "my plot.txt"))))))

(ert-deftest ob-mesos-the-files-of-a-groups-members-have-numbers ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (ob-mesos-tests--run ":foreach n='(a b) :fetch out.txt" "echo $n > out.txt")
    (should (equal '("a\n" "b\n")
                   (mapcar #'ob-mesos--bytes '("out-0.txt" "out-1.txt"))))))

(ert-deftest ob-mesos-output-goes-into-the-file-if-the-task-makes-none ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (should (equal "[[file:out.txt]]\n"
                   (ob-mesos-tests--run ":results output file :file out.txt"
                                        "echo written")))
    (should (equal "written\n" (ob-mesos--bytes "out.txt")))
    (should (string-search "FAILED: It has made no file plot.png"
                           (ob-mesos-tests--run
                            ":results file link :file plot.png" "true")))))

(ert-deftest ob-mesos-local-files-go-along-if-they-are-small ()
  (let* ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t)))
         (bytes (apply #'unibyte-string (number-sequence 0 255))))
    (let ((coding-system-for-write 'no-conversion))
      (write-region bytes nil "it's all.bin"))
    (write-region "a,b\n" nil "data.csv")
    (should (equal ": 256\n: a,b\n: it's all.bin\n"
                   (ob-mesos-tests--run ":files data.csv \"it's all.bin\""
                                        "wc -c < \"it's all.bin\"; cat data.csv; ls | grep all")))
    (dolist (case '((1000 . "can be sent") (nil . "names of files that are there")))
      (let ((ob-mesos-files-limit 10))
        (should (string-search
                 (cdr case)
                 (error-message-string
                  (should-error (ob-mesos-tests--run
                                 (if (car case) ":files \"it's all.bin\"" ":files none.csv")
                                 "true")
                                :type 'user-error))))))))

(ert-deftest ob-mesos-input-and-arguments-reach-the-body ()
  (ob-mesos-tests--with
      (concat "#+name: t\n| a | 1 |\n| b | 2 |\n\n"
              (ob-mesos-tests--block ":stdin t :cmdline one 'two three' :lang python"
                                     "import sys\nprint(sys.argv[1:], sys.stdin.read().split())"))
    (ob-mesos-tests--go "#+begin_src")
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (should (equal ": ['one', 'two three'] ['a', '1', 'b', '2']\n"
                   (ob-mesos-tests--results)))))

(ert-deftest ob-mesos-another-emacs-knows-language-files-and-directory-again ()
  (let ((directory (file-name-as-directory (make-temp-file "ob-mesos" t)))
        (go (make-temp-file "ob-mesos")))
    (ob-mesos-tests--with
        (concat
         (format "#+begin_src python :mesos yes :results value
import os, time
while os.path.exists(%S): time.sleep(0.05)
return [['a', 1], ['b', 2]]\n#+end_src\n\n" go)
         (ob-mesos-tests--block
          ":results file :file out.txt"
          (format "while [ -e %s ]; do sleep 0.05; done; echo made > out.txt; echo noise" go))
         "\n"
         (ob-mesos-tests--block
          ":foreach n='(1 2) :results table :fetch out.txt"
          (format "while [ -e %s ]; do sleep 0.05; done; echo $n > out.txt; echo $n x" go)))
      (setq default-directory directory)
      (ob-mesos-global-mode)
      (ob-mesos--submit-buffer-and-wait)
      (clrhash ob-mesos--tasks)
      (ob-mesos-reconnect)
      (ob-mesos-tests--wait
       (lambda () (cl-every #'ob-mesos-task-data (ob-mesos--running))))
      (delete-file go)
      (ob-mesos-tests--settle)
      (let ((text (buffer-string)))
        (dolist (result '("| a | 1 |\n| b | 2 |\n" "[[file:out.txt]]"
                          "| 1 | x |\n| 2 | x |\n"))
          (should (string-search result text))))
      (cl-loop for (name . text) in '(("out.txt" . "made\n") ("out-0.txt" . "1\n")
                                      ("out-1.txt" . "2\n"))
               do (should (equal text (with-temp-buffer
                                        (insert-file-contents
                                         (expand-file-name name directory))
                                        (buffer-string))))))))

(provide 'ob-mesos-lang-tests)
;;; ob-mesos-lang-tests.el ends here
