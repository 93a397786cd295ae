;;; picture.el --- Make picture.svg and recording.svg  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; At the top of the project, with the server built and tmux installed:
;;
;;   emacs --batch -Q -L elisp -L test -l docs/picture.el
;;
;; runs a document in an Emacs at a terminal.  picture.svg shows the screen
;; while one of its blocks still runs; recording.svg repeats all screens
;; up to that one.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos)
(require 'ob-mesos-session)

(defconst picture-document "\
* Three blocks on the cluster
#+begin_src mesos :cpus 2 :mem 512 :lang python
import time
for epoch in range(1, 100):
    print(f\"epoch {epoch:2}  loss {2.1 / epoch:.3f}\", flush=True)
    time.sleep(0.3)
#+end_src

#+begin_src mesos :results table
for n in 1 2 3; do echo \"$n $((n * n))\"; done
#+end_src

#+begin_src mesos
echo \"no such table\" >&2; exit 3
#+end_src
" "What is run.")

(defconst picture-colours
  ["#282c34" "#c0392b" "#2e8b57" "#b07d12" "#3566b0" "#8e44ad" "#1f8a8a" "#5c6370"
   "#7f848e" "#e06c75" "#4fa06a" "#c08a1c" "#4f83cc" "#a65bbf" "#2aa3a3" "#282c34"]
  "The sixteen colours of the terminal, on a dark ground.")

(defun picture-colour (number)
  "The colour with NUMBER of 256, for SVG."
  (cond ((< number 16) (aref picture-colours number))
        ((< number 232)
         (cl-flet ((part (n) (let ((m (mod n 6))) (if (zerop m) 0 (+ 55 (* 40 m))))))
           (let ((n (- number 16)))
             (format "#%02x%02x%02x" (part (/ n 36)) (part (/ n 6)) (part n)))))
        (t (let ((grey (+ 8 (* 10 (- number 232)))))
             (format "#%02x%02x%02x" grey grey grey)))))

(defun picture-attributes (codes attributes)
  "ATTRIBUTES, a plist, after the SGR CODES, a list of numbers."
  (let ((new (copy-sequence attributes)))
    (while codes
      (let ((code (pop codes)))
        (cond
         ((= code 0) (setq new nil))
         ((= code 1) (setq new (plist-put new :bold t)))
         ((= code 3) (setq new (plist-put new :italic t)))
         ((= code 7) (setq new (plist-put new :inverse t)))
         ((= code 27) (setq new (plist-put new :inverse nil)))
         ((and (memq code '(38 48)) (eql (car codes) 5))
          (setq new (plist-put new (if (= code 38) :fg :bg)
                               (picture-colour (cadr codes)))
                codes (cddr codes)))
         ((<= 30 code 37) (setq new (plist-put new :fg (picture-colour (- code 30)))))
         ((<= 90 code 97) (setq new (plist-put new :fg (picture-colour (- code 82)))))
         ((<= 40 code 47) (setq new (plist-put new :bg (picture-colour (- code 40)))))
         ((= code 39) (setq new (plist-put new :fg nil)))
         ((= code 49) (setq new (plist-put new :bg nil))))))
    new))

(defun picture-run (text column row attributes)
  "SVG for TEXT at COLUMN and ROW with ATTRIBUTES."
  (let* ((x (+ 10 (* 8.4 column)))
         (y (+ 22 (* 17 row)))
         (inverse (plist-get attributes :inverse))
         (fg (or (plist-get attributes :fg) "#d8dce3"))
         (bg (plist-get attributes :bg)))
    (when inverse
      (setq bg "#d8dce3" fg "#1e2227"))
    (concat
     (when bg
       (format "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"17\" fill=\"%s\"/>\n"
               x (- y 13) (* 8.4 (length text)) bg))
     (unless (string-blank-p text)
       (format "<text x=\"%.1f\" y=\"%d\" fill=\"%s\"%s%s textLength=\"%.1f\" xml:space=\"preserve\">%s</text>\n"
               x y fg
               (if (plist-get attributes :bold) " font-weight=\"bold\"" "")
               (if (plist-get attributes :italic) " font-style=\"italic\"" "")
               (* 8.4 (length text))
               (replace-regexp-in-string
                "[&<>]" (lambda (c) (pcase c ("&" "&amp;") ("<" "&lt;") (_ "&gt;")))
                text))))))

(defun picture-runs (screen)
  "Return SVG for SCREEN, text with escape sequences, and its number of rows."
  (with-temp-buffer
    (insert screen)
    (goto-char (point-min))
    (let ((row 0) (column 0) attributes runs text)
      (cl-flet ((take (regexp)
                  (when (looking-at regexp)
                    (goto-char (match-end 0))
                    (setq text (match-string 0)))))
        (while (not (eobp))
          (cond
           ((take "\e\\[[0-9;]*m")
            (setq attributes (picture-attributes
                              (mapcar #'string-to-number
                                      (split-string (substring text 2 -1) ";"))
                              attributes)))
           ((take "\n")
            (setq row (1+ row) column 0))
           ((take "[^\e\n]+")
            (push (picture-run text column row attributes) runs)
            (setq column (+ column (length text))))
           (t (take "\e[^a-zA-Z]*[a-zA-Z]?")))))
      (cons (mapconcat #'identity (nreverse runs) "") row))))

(defun picture-svg (rows content)
  "Return an SVG image of a terminal with ROWS that shows CONTENT."
  (format "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" \
font-family=\"monospace\" font-size=\"14\">
<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"#1e2227\"/>
%s</svg>\n"
          (+ 20 (round (* 8.4 100))) (+ 20 (* 17 rows)) content))

(defun picture-recording (screens)
  "Return an SVG animation of SCREENS, (SECONDS . TEXT) each, without an end."
  (let* ((length (+ 2 (caar (last screens))))
         (rows 0)
         (frames
          (cl-loop
           for ((start . screen) . rest) on screens
           for (content . height) = (picture-runs screen)
           for end = (or (caar rest) length)
           do (setq rows (max rows height))
           concat
           (format "<g visibility=\"hidden\">\n%s<animate attributeName=\"visibility\" \
calcMode=\"discrete\" dur=\"%.1fs\" repeatCount=\"indefinite\" \
values=\"hidden;visible;hidden\" keyTimes=\"0;%.4f;%.4f\"/>\n</g>\n"
                   content length (/ start length) (min 0.9999 (/ end length))))))
    (picture-svg rows frames)))

(defun picture-film (session last function)
  "Return the different screens of SESSION, (SECONDS . TEXT) each.
Call FUNCTION after the first; end with one that LAST, a regexp, matches.
A screen is shown for 1.5 seconds at most."
  (let ((now 0.0) (began (float-time)) screens)
    (while (not (and screens (string-match-p last (cdar screens))))
      (let ((screen (ob-mesos-session--tmux session "capture-pane" "-p" "-e")))
        (unless (equal screen (cdar screens))
          (when screens
            (setq now (+ now (min 1.5 (- (float-time) began)))))
          (push (cons now screen) screens)
          (setq began (float-time))))
      (when function
        (funcall function)
        (setq function nil))
      (sleep-for 0.25))
    (nreverse screens)))

(let ((session (ob-mesos-session-start picture-document ob-mesos-server-jar
                                       '(setq ob-mesos-tail-interval 0.1))))
  (unwind-protect
      (progn
        (ob-mesos-session-await session "Three blocks")
        (let ((film (picture-film
                     session "epoch \\{1,2\\}9\\(?:.\\|\n\\)*exit status: 3"
                     (lambda () (ob-mesos-session-keys session "C-c" "C-v" "m" "b")))))
          (with-temp-file (expand-file-name "docs/recording.svg")
            (insert (picture-recording film))))
        (let ((screen (picture-runs (ob-mesos-session--tmux session "capture-pane"
                                                            "-p" "-e"))))
          (with-temp-file (expand-file-name "docs/picture.svg")
            (insert (picture-svg (cdr screen) (car screen))))))
    (ob-mesos-session-end session)))

;;; picture.el ends here
