"""Palettes: closed rings of colours, as data, so that a picture's colours are the same on every machine.

Each was drawn in OKLab, where equal distances look about equally different, by `benchmarks/derive_palettes.py`. From
the darkest on, lightness rises once and falls once, in even steps; it carries the structure also for eyes
that confuse hues, and in grey. All colours are ones that an sRGB screen shows.

    dusk      indigo, sky, cream, gold, rust         ember    crimson, orange, cream, rose, plum
    tide      navy, turquoise, foam, sand, kelp      moss     fir, leaf, ivory, bark
    aurora    petrol, mint, blossom, violet          pearl    slate, white, taupe
"""

from __future__ import annotations

import base64
from functools import cache

import numpy as np

from render.errors import UnknownName


@cache
def palette(name: str) -> np.ndarray:
    """Load the colours of a ring, so that a scene can run through them again and again: linear light, 0..1, row by row.

    Shape (256, 3), float64, read-only. The first row is the darkest and follows the last. Raises UnknownName.
    """
    if name not in PALETTES:
        raise UnknownName("palette", name, PALETTES)
    codes = np.frombuffer(base64.b85decode(PALETTES[name]), "<u2").reshape(-1, 3)
    light = codes / 65535.0
    light.flags.writeable = False
    return light


# By name: 16-bit codes of linear light, row by row, little-endian, in base 85; benchmarks/derive_palettes.py prints it.
PALETTES: dict[str, str] = {
    "dusk": (
        "F#_)Z*9G|j@&Jwo(E<1XX9u<c0s&hHrU4ECW(l4F9RY?4n*lEYxC@*CLjn5?p#fR}P!6a8a{;vvvH_0)ED^l{t^u?X$^p><OcdAw_5t-3=m8"
        ")CuNU|MO#*ot2?BotQX3lrwE{aGEduZYG9N$!FatLsR04McNF!$g!vkg|djb^%kSC7<Zv?|Bqyo<b04%ryHw8s5%>t$ck}%-{9R}ty_5z&-K"
        "s5^kB?q53Ap^As1UfbYPY7&0Oat)<*gj(eoC!!ldIL}jyF-%$4hu0xtOL~xsz}EJrVJ!Y;{$*Vp-lh;WDXxtAOunmo>D>tN)R4ZX9P?Uo>z|"
        "qR}vmtx&&<#om}VyjuaYS8U?r&mSIr^?G_JYj0G(igl5eJcNz9*5(dl~WNTgqD;&*juLhJIGH?e62_KPiW(SBM>U7Ho5h6Z!HwdO9jCrdFMJ"
        "3gHCkgH*8Gfq?qbOH^Hwt1Zk%G$#EG))^XbS)?_J$4&-!CJHy$s1QOpA66zB6%+IS#!wl#c}u$Tzc*-4ES4(38Iq{5$HEtq~?Z0hp)~TR;|?"
        "t`nL<DV)O;<U}~0<rO$bMW7ZJmPt;cRv7+ERHUaFa86gI2pj8ARj7L$aZ^vK0UrNVM68=1msmBfNFg{|Ag~G};avr?;v|${<g?HwPGi2c)F="
        "{Wk+<+F-Dq98BrUOPBfD@fjBew+)G=^zoW4;sTy##r=r&My`N5buOnRNeVLVTLI>kjlTY%8ULqczZU&vfVi-zXOkVvkHWy{}7+Kk)GN>2@tN"
        "6yhwNRz40byka(|IjyD)R{=q7+xfug3}mcd!Vb-IcC?R!PR_fIH$qZ<8Gd+sMl_D2d;A1A$W4J8`=DP-L#(B0)j`l_1QItuDco9my8d;1KKN"
        "+XTqx4^Ov*50@?AM?8yJuD5MR{k=B{24bP?2L$Tq}B+?|fd(`yKGrz~y^~ztytJns{hs_4s3BY;OwA%K#@!Fc&<*=&Ytl1f;dFA`p@19lZr`"
        "5ZaQS8>zyNrwOsLu|BA@DTJ$9pjGjmYV9&hfv*b!-pv)WB(F0rJwk!CtZPz_@u>DDj}Qj#6*%c(D6Si|<IRy+?xX6{yidSnc7XGd>dRuAkpI"
        "v+8}D(KS5jQkMuavF9z5el8Q{5RWh`WaR#e8z`mX_l7$q*WmnujUxNr5PuCI5#2I-xE&hXWOs`j7TKnAgc$|b`EQ^X=hR(n+!egi(`Ysnh0t"
        "7Otr9@a_hCK}?aQWK=MRm^XIrTb9>+XbfeoU>Bvoz<7s4M>Zwr3EE>D9B*St|osR<&wh)LlHV7JmnDhQFZFGPX|wy~f==?2iQBtKpT->bVk;"
        "05HUWIAsJ;iVur3I*7r?KQ6i$e+wJUIet9yfGI9oSD5Z*8_u=&Mlt<Xp`<MZv#${9V$cvHH};-9s?hWs3!gb42J?G;R5`FX(P!3@_^nUv;yp"
        "XUm&3Z?0W1TkplB~h8=_g|8y%Hcmfh~+Zt{HEN_<?W&%uXUKm~ib7?RaSpuPE4Hi@a)noJ&Py!HP<`Yf=QeNT`Oahu)=@Cl;=~(&@O9DPt6c"
        "9`Tno~IsP6GT;XAV&UW=@_BR07sZ-wap+PDv>YT>{QVdkbO$Rz%hcXaeRzISOt9fIp-Obpj$i7YTd<&N`3?g93#(5eSL`MmCuTk^&MmCI^`U"
        "=`p$npaRS<R0gL4x-Ihst^&0ymj$%~yeU8hy8_TB?gYUC@Fk%H#{wNBSOm=iRw5Gw(gK_y(gW85?jDo_+X77;TLa(%xf>+|<N`4o^8)AswHU"
        "+#>;gp>m;&zt;T3QK^8$$!N&@!+JrgJb`~v+E2m$~D$q?!R1p}cE&;beqgbud>5Cd}!paB;HZVZe89s_g>c>yK^h6-o_Fax6rSpho(%m_;XM"
        "*{%}J^@w(KnF4bX9J4{Cjol{;sqT6lLJEq6alXTuLKJL(gP+01Ofd6sRR80GXysS_W*bV(E{=S&;)q`@Bl*v"
    ),
    "ember": (
        "-2zbn_W>;fMgX$`lLI~gh5-l!H~?t@i3BtNRRI(QFaSsas|76pKLJYyD*!kF_Xa5dGy$y#C;%}5ZwMv;FabOXCIBx1778T*F9G`sB>*r1><c"
        "CUF#+lfCjc`6_6;ZiH31F}DgZYDG!QKSIss=9FaSLPsS-2*Kmqs@IRHZeR~0`1M*+hYMgU6zKNw8_PXWpqRsd50WgB1sR{;+lY5-gT$R2k9U"
        ";&aKgaBm$Y$B8ZY5`UxqyTRLQ6{$lbOBr_%K&)+cq-xmegUN{`T&Cg;w}{dhXF7#GXabNjx$pMkpcZRb^(<EdpMl|nE?tr#{rxHs6F)opaE4"
        "tC<3Da5kp@Br2*STn*yf+vq;<mr~#KtBLk=bh)!_>r~!mg#RI1Si&P*4r2(8*f&`)gwp#22o&niiUIm%~1Yy_(lmRznTn3H-aA)WShXJo@eF"
        "uL5^KBgnb^$zb#t3ZzigbAiVgcKCHwst*FM9wBO#y~})C)lY-hs3XHUT(=pA9Pkk%*QKAOY%&nhzEML655t3;~sr$`J$s<(2mm{s1qTG8Fj$"
        "bDVn>_5iM*)fV;u-=aPk`2Yo`xETNe9;reb3IQmr-W(VKBd?1dD*+6$OCUo5<Fp(iU;(DL0VIL}Rl4{ks{!!50Vvr4b-x}e4+7=EPAp3TK*W"
        "(Qj{=6q=P=s>x5!U3E(6rc%QcDv-OO1y@B`G&`#N3(y3nsZ*94E!bwFDMRMbvG>jeweI!1>EwbwXFG6z!GNlfbp<JxRbv<Pe5p;C_t>D}m6e"
        "hOaSLRo?f%iyhCoeVMJDqzqJk>j{y9}nu}S7(Y4KIR5%6%vi-#csh9*65USkrf;2a(0IoTkBnVq#2g%R(|Un%<Wr(ULO7KYlZ+JDe#7h(IZd"
        "stB%wrZ}QlZ3o3~74VQT>ne<1SA2Fi!hMxj8q4vn5BsrD$3aE)ad-zGLHbPSQg0M127y7NVgG|Hv#JDq3Q~SESOjx`7e8AjZ@B8e-?`7Ki*v"
        "5=)T>J0Hn{`<F!^ygR!}tivD22iH=f*sXe)P}7*N+(TB)~C~o$n{Si<K4a`?nmIf$F!j4VdKTXs>&iJ>?mzewdBo&ZZ}r)8CAugO?E9R-T@g"
        "L)tHzf|YI87?wAbjMNg6!jhrU9*!%Kt<F7)c8{*haE7UkrpUK~$BUH35`WW)dBTBv(uY*P1bD`UD7>3=v4ixuM{$;cxU~jucYk-X*=kmOFt5"
        "L7G<)Q$xMUJ}m8isF@peL`<6hHr@1YZ1xN@4FRav2MMVqHqj&Aao3siw@p_G47cxqCS15b5m2ac9ZcxJ(hI7)(Ke~0QvkzzxHsYRz?4uN+=!"
        "(QKgQ$giiwt7834qKIXG(A39d~`TFbXRI|NI9`pVQywO^;2JKkTpP3W@yGUkx+GI2{PzTjbc|YM@_C@u`aAj*jyGZ7fK6ShbxIlM^^$W0Y{B"
        "gi70?Y-BB7R1w=PbwIz^3n@n3IAwddC3M05bgh#?5R6Yqsg&_7knnF+?o;x={BOXgS-#q{w{Wz36<Qud%RyolcZ#E=1#u+a){xrfE^fTr%#T"
        "UFX+c3};i80+S;T2gh>@4~eEiVWw859LBGATY2-z;b+Y7)IGtR<Wgohtn!)ewLwS|Sq=W+=rVR}W7oJ0GDAIwrpz@eL;>PaH-K79{H$p$rHk"
        "lNkXF{2@meXAANm2N%%_>L1b-K?>y_s1&vd;vI?;FbUxtcM`7%;~Q=fG6?4ya1go&?iqa#M+f*Aln&Si1Q@jqZUz$<;0y=`B^DG6rUg0`QVU"
        "20Q52dA?gVTT>j{_yiV{T$Mg*!6s0jB1&JYs_tONBAhX-W?9}ffvAp=Yfhz8*TeGL=_qyn)Fs0C^Q=nF#yGy)?F<^%u&VG54~&;g_gKLn!z>"
        "j?G(c>y*Evjb59g$H*7EdkmFKm!W_GX@X?>j07k<^s+D_XNZOv;blRsREn;(*v0Tg#b$fm;!MC%L1zcU;tMF"
    ),
    "tide": (
        "4**&L0|goYOaZP1B>+(Ybp|p3VF5%3KLB_E83;@OlmYYzS^%^G)(L3<*#W=`cmM(dvI~a*FaoR$m;hk{t_`RFmjbyCx&YAv%@51~5CiED-T+"
        "er4HEDGoC7%%0|Dv-Y!np%Jp`u}C;^rP>J~cz^#n2)O#xd4f*D`|#s$|JaRE36G8}^eu?CVIlL0XY_a3AHxCdY$vjIm4&mqDA-3UP=&;fc0w"
        "<O&G9||!h=>g3OuqX8af(tS!00KY^w<-z(1r0$g6av!?&n+ARst#Z;B?5^L_Ao61aS)I)Gy-A~E;Kv>TN2PULjqnCcQ;A`Y7`<lQUZPz&^lQ"
        "Hofd;UVgke$IzDOw^%(R&bOJCMvO#|WbsKa;ivq(OIYpTQ8y*2ir~-W-%SgBa>L8d(%K~8{XH4J%;v+du_yTPu3{VmS11I58E(4?}w^L37Pb"
        "!a9aRUV`Xjhj5#w|iwzyp#m9$W1LXfgX-9t27=+FnuwH#NCniv%z?n_|cWGdX@_3I#$tV`fnWTs=x?odtqFGivSyvq2whMh5Rg4sN6dH%9+&"
        "2?vTu^l^3v=}PQ#><3a!=XGib$4};W^9V;$>Uo9<(Nyt!CJJX){C(0223ib&jSH|`A%a&7V_!LhG7TVNSB4)B<z#t?9}l!=po%jPi)zb^ToG"
        "w)`;MIwP;f7i_7gpGXp?6ZF?OYu^A;<4=9iinD|{=OT^ccebDTUJJc7TTIUY=f51~{bVTfU)jUs!CwWa1Hn2rpnUMISdWvccm;FP|suPh0e7"
        "_W&hH=A;?hB9ZK%d@35o1r7N=Qz=%ceqYG3aH4s+do9B6upi^fv#D<X-B@Xm%(jI`?Sl$oliKp^Tqm8bGr@5g;=b<7|KCi;lU5gF=7zK@Xc0"
        "dImoxqv}{?+V9`%<ZqDY?D0p?zL)1lnYSeJms)S3|W7b@Y5ZVyeVUn}lXV<}*D&JJsgrR2Px7M(!PUB?NNwU7=71KGpa^+sn7sLSNw#mTD{o"
        "?t-@X(;&DY>H4l-ql-htyElU#KwD0@L51`O?46>zN(VjmmVB!On5UYmNWQYQn{b>BxJ&c!G|_qq=^5_`%_}&v-DtH?wGTKf0o?LU1XzB&=F&"
        "_p!UEtZ1vPXQeb{OsOZL?qS`e`<~ZcWT4`k>s#ZS+L$O=UYF#Ri&of@{*n+>R*ol-v{BiKUyXH7WQC=QQBC@Q_lHGGoP1V=Pf1O9zk+Q?4s<"
        "hsokihquzlV`$ZI!yE<(d+#dwTB(_>q9_CEVx_;YPNIb57^?mLfIMsIpL{#5pC5IKfXt7@({Cr)N)RW{;EC1wRRwnyn>yfdUkvSE8Nt3iKXK"
        "{3oeQC$x(20SNQ<1Se_0$IN;#Wvzrp)5%>##D+c<T0;Ocq*1Jo=|QnUoDYNX(&D`i%e=KF)4~la3(n?k4StaRVA86jwFL4t3;$D#392%zakb"
        "O;y~XadL9Tr1R?DlHa#pLa2sknSswx#ra6ipqZsKoz8z8*G&c4e4i<(qF&x+w;4*L<t`kBru^N#Qt1tE$fDs%nJsEotl`MxCfe#fc(-)Htoh"
        "c$0unjCIbQaeP!zRZS3JhT-9Ti3k2PAeBjS93P&=cJWXdx{VHwhykj1rm%<{s@41_-bnQ4x9vfgHCG_Xb)U9}s&6IU0)(2L>P+`3{-|4j5?;"
        "Gz9|}-3`<P{}odWdISO$%?u_43=~QX*8?6C%L|PIHWE(@NCQ<7*9r#%d=O#^%L1tn@(Gdx-42BbTmlyk9SJG|Sq-@e`vIT~SqRSo?+g70rU6"
        "6?rU!okp9)h4TLAzH1P3_*X9>Cn8UfV^bO!tYNC+|p;Q+!1^##WOK?l19uK>jcg$0@bPzF>5g#h0LCIxc<bOrkaVgL>W)C5xitpu?IMF3C)k"
        "pwsZ`2%zWEdZtiTLdHkSOZ1`8vqUiGz1g?$O0z>4giJ%9s~*iNCF!K2LKKNAp`{g*a0yF1^}i3QUnPAdjXLI"
    ),
    "moss": (
        ";s9|04gsbBlK~U~d;q}#BLQ9j_5n8mNdPbcPXRgrZvtrnF95Lug#ji2_yVE<Apk-H!T}xtkptoZ9RTD51p*%cI|L~LBLJ2JPXZ_a_XKtVFaT"
        "Tyo&q}n#RbR$M*uVi^a57^rv@PdXaFDwPXl}ao(F#elK>$Iu>-9DsR-l)$^bYC7zFA7%Lz^d4FO~dg#<GJ1Pi?cT>+^J_XLUoQw%Z%y8#6aZ"
        "w2rHybY}dDFS&8?FD86Jr6Dhrve8MaR%%H*bub_HUqE``v!#rjuJu#*aLGDiw7|TUli2`js#K_A_(yWOBQbkS_MoOzX-?$RTvNnJO*SLVhOh"
        "fdm6V1I0u;<4GO>qz8qx=P6+EAz6#_BA0HYEf(ct7cMB&9pCQ%@)C%e%Hw=jjJtUe8M+}%H{tOKb`X*%!-3?_Z%?-5<*C{v-mk&`Zqz-}*)G"
        "QJYcM)DLgAaBR@h|ode-n%`YY>tYFEis1uNB)gT@lw7kT%&73K&f|SrSJX5<1%wj~d}SU=!jSxjpF<K^>Vtbrh=}gFyuqARu)^m=&QRaYZl|"
        "E+cnG%ofHZg-LA}YbKpb6Br#RzfHav+bQZ#ZyBa59#SS6el1;8;~HZxq*kUIRWbHha2!=LQCmSBV>P#38XkW)C1Cp=sX3lv;~(KWA!XDcC_b"
        "%c&LMt4L~76?<U-_Z+#^^;j&JfL+($xk5+-m;0ChYk6ivu?aVW@7nR>G+jZ$@e04riuS%6wBNmxjO!Yx8uKZZFkOkO~Vz%XfHNsL!Am}Faz0"
        "W{lZbdtR_Fl&~Tk2jibznFMA7;^5Lcsr|gBcGBzQ+ZvY$UhN%o245<<$&F&jYQ9cBCH@s(1>WS)k)}#uClL87?Ja}u1{f=HM!JM!<lrvB33`"
        "1uD_aD*P`IUJY9;X3C0OwT&yR_0%cFJH_Rq!WVSTVcWt4&8`AZ03Blylo_3|ihu3m@e9ZRQaDblD7u=AA9@)R$#)=f+jo#*uQRkK2Ka~FLzS"
        "-K9fbV+Lb(9eBA<wyymhbP$Z;pEI=)~iS^6Uw~H-{SQPrH4C1?jc6!GFN!I<g6TQ{>#OT6o3bn5nmP9N%uGBXL{YT%n(BhuL7AEo!0GdzsB<"
        "t<$TOfMc!D?~z7eqRmH+A6<{ivx*E_b;mG=4Odpgz=I-GGQnYhN>L2H6McnF<hs^*(@VU!sdhC<leCO;s77qDesC^CNUncv#z7^kj%si}2B@"
        "rOD?RI^*<|)Q)u9t&(>TMPTVKF7wwthAy)>_w6I#kLt(AgT=P<I8|5Ot%ypM=dPc6-i9#EMp<B7mc@+km^ZcADyB!nqR(I!rT@J3Z7etyG5="
        "p(gzp+blv@_39uHX$~4f<E#efpddAx*pSTkUEbYD{iPbaU6<k%r;&d@o4%qR~lYsGc#Km)MI!tY8X&q#xH~y)m|SirxsycgDlh)_F3^N2^Er"
        "8X(>k(I92K=jT7Zkbtc;qoKOlSFA`f$sUwRKBur2u>=5-y0U=Wm&qul+zz?%Ud>%3nphHI;sScJw8yqDLmOu9zr461v+Zibhusg>Xu?)*OyB"
        "9qS?>Dy=%?lhhyA@yyQZ&XC_6m?P*%Oco*f8`GEea?v6%x$}fGs`|a0%fnZx9v<N-Cxgz6iW1<PK^GH76+!83?x}bPdV}K_tcueh1Sc9}F}H"
        "Z6SUO?FJ7Z;|i$;xE@XlW(H~<zX>J=Bpfyg=>_E)vIwmOt{F54a|M4Gy9YZ3R~JYJ1_d}4+6K`CAQf>2p9BvS3<hol1{19XKLi94QUwtN2@("
        "7R<pUNFs|30ODi2-+kOM>x6$EDkW)08-Km(2pkOLV5y$e$V^aAq=8w1b+FAC-YtpaihwE~L*ya<Q_Y61)hUII!2V+S|_D+0g<6#@+cBnI^X@"
        "d1wo*a6i60R_GRx&e6vrU9V=_ydvwi2;8DfB|v=3j=WhT>+m0WdTV6IRaY&HUZfIRskjfe*snj838N-T>%gQ"
    ),
    "aurora": (
        "ya2xd<OZ1l=KzZafdCf)ZU%7xO96QXWdMQ!n+99}y#dVzRRH?|2?tLAJpxY$N&tfbn+HY!%>wNQLI4~CMF>Cua08+UJpjl90|`3-B?M^+IRJ"
        "<R(+M~L?*u^#Hvn7(vkEo<&jlz8HULNlq6;<v#s(h@HULWppA0tu)(0aEHvne{s|`5-{|Gh?Islys#11?FLJC$7J^=0t>kmNyp$mi%L;ze2A"
        "Q49Z9Sy$`O91B$ViHgQxDE&tRRE9=vJ+bXaS&b<VE|bX4;5(uN)o~qaR5UTc@}yAL=-a@gaA$z@E4B&VHU9%oB(_mbQ!7upcp$Exd6=>1slo"
        "$0~^vC-2g)zq8#!7j2(3y2m#(6OCBNtIUpk+JprE~{~ucc4kO$kd;x|ey&<3h2_~Q-#{rfnh9mI-EGcdz9|FxPStU>cc`QdJg#s=vHz&RV?k"
        "_1Q`vSQ!9w|Hnjx!c2fdg+f5G%_AS~m_X8U#=|4lQj2Q9BVX#spnG7cV3QbUz_5hy|BHE-~^2#6v$aV+Q?2R5RKJLP%{iSqG6yiZ$T}>`bgS"
        "aR^dR)He$W!%+b_t_eR>Gdf-h#a3)P84FfftUTch@>}vfw+xtGKtG%fM`4vfk`4f5^Ff&p!)97TvJj4G$wb}}VQfN19}_)q#Yc7&A#zbk;}r"
        "~b=t^f7{&$K@0~z*uHcq%2^?mJ6haCEVuTgLw1%!N4bRZRnRaKQDDvCK*(IiBTDOoEgVvr<TqA7%vD_uD(s+K-q?=I7sTw%pA{+x$nzBDVKz"
        "Gd1sS)&1H8#{-lQEG!ew5hFZ6GGpt7jMo*2C$BCwMi$l6Lic?LAIuL6;e^TM|qM~RlN3lM_Wq2wSF~VEy99<VP*QnUxdqQug6P=cW_3^M~Y{"
        "5z06UKoqP??YLFU(G0~Ef--#pB$CmDp-P8%1M3`09R-NIWg4e8|z^7N(2&CGt#@J-1Ah^8PxvG1>BG~(_#mL{*8L`38-qiWC9M}=ke71kyhR"
        "%Yxtm9+K`?-<l+r{a+Na`EGT)X<~MZ9Rc*6eP#BfA3aqq3g5p6u$a<+;Y|N2vq3i|V|j|F{3>N}%DkE$8u@t+gNJv6p7F-QtRq53_FIdylNK"
        "*xiJSKCm9!riaI_McCehNUc!SEr7zSL(-FcH>x1d4tb}j>C2#X5~rfbMsj+kOvM3j-=pcl&}%`We7>`2p`Zr4sAT}3iMO$0T%8EC%U`&ggRu"
        "8p6Po<2HCk+#bg6?^#g^`+;Zz=#X`)Y3c9Z9x%umgcX`5J0C6Moz^GbY<dz73=(u@s}R7NR_q>ULwe~Cki>_OFs=!VQcDu$JVx;=n|Nr1FF)"
        "Pe<lyE!R=$$8H=eSeg8?={eUXmcDiBYZ?~RWf#ZDQ%iC$#@rP>Mk314QECzZgmZ0tt-HD7hxbO5^^hEohW5+Nn0f+xNdP+w<Qa0rBzfUUu)!"
        "2`XaPxFHou>3225*Vjy5<=}IIYw`5sJ?;Q|h)<wb`YGGhQog2kp_&|UfAzqz6YZ-oAPdr{2+*%MiSQk54-Zxnmn^(FuVio&Uq%(08TvVGehZ"
        "DR~p)aHo9Z|F`#}R%{)hqE3-c184ArL-HJ}6iZol1u$l@9z!-6Yu!Sw}x3A`P}ht|4*^5=1H>#|v#jvK}J~$3R9MgbE=)<{Rt@dp(jGSqarU"
        "Ng2xsFggnuL<oyG*%rYE=QgnwMF&MSlN8Mcr89sNTLuR*coOXeY%qBdg$2|ugAgJGKrNRK!vwG^v<_(mBP!Yr69k+n2@S#n7$-msb_1Fve+w"
        "-GAtc8N=>n}H77D2XJ|S%hZUWUG%Lq0CaUL-U0s<2qod?nZyBiP(r2%LfiUxcE8yN})R{_-*kp(pYlolNY7Xexoumt-6Clp8o;{f{-<^#?E)"
        "e(vVya2cmG6Sptp%35!p8%5%k^+?gjtxlyjR24g1p<fwoD0PPh5)e&hyjNH&<Rihivalu8Ud65F9_)XqyTsa"
    ),
    "pearl": (
        "cLB5jfB{wk$pFp)Q~~7xBLZ9j1p#^jY5^w!)B=0~OaU_kkpXl8mjkE)p8)^_!2!$xZv@=|{Q=|z`vEZmU<DciXaeE|JOZNvYX)Ef;R5;wh5{"
        "o4kO!^;X#*|@*aETx(g+0u00e#sGy_ruF$!e^s08Z@nF9j_tP9TrVg+>!2?WLkL=8m*F9sS8gan)h_zuPd4+q>23<ZV<#}HKo0|>bhq6LKru"
        "@dtI4GFLlM+TY+wG^KQEegRE{07Df(-vF@WDDyT!3PNp2^lL0v<xm9nFwVKSQ`up91e;cgbCRW!5sk#o)7;Xf(mF5L?8(ZIuVZ{l?xIQ;UXp"
        "s@e(>DybRY9nk85b#1sN2`3<=ha44V-v=-+nOb@pgWGns;!Wil-wh+`AcP?`g?ivg*HxdvWsWAW(Ivr0l&=YJP{4}N%rXR94f)(f>a5!WZG9"
        "orQP8WqE1Ux+$;UwBUG#N!Exj!-*vL~QHHybD^k3&Norz(a;R~;@ag-3E8zb%YOl^<Czn@hhS{V=gj@*%1+&`&KRU^Mnoa3ml$B~-j6>Ni_f"
        "5GTGlm{@HnoIBoH(<y^JD_ue>bw7Y#x-4-)-C;W}cSAvB#V?3Ou4Y*=qemiX_cF*yo@<^o`AZ^hP&PD9u5b%DdQd`h(K*Xf-gTloCRKrWeLa"
        "m=EPG@>|5@IBRY81Qmw;141z%Q!T}7B-9ENj8H)QCDmr3Dfxr@k4muZiV2ToXQX^~Y>ByUHQvr_wUCYK;p-E;_=pI6Iw>YOiH!+Ol0(Ok!Ut"
        "fGfs)qsknP-5+aWT-D?5r;afBWON~3a&0|c8$}pP;R)8l(UL)1C&g*-gH=(`M67Xx0;;0(t97CGQM?xkD<E2GlL1GGs6#ui>RH&2#Xc0^v5B"
        "Ormr~4S(87rWz4ge-nM$qFr0(BbI{YEExt<9ou%5r`_q%Eh{b!=xvw<Izt$GD*vz%pw7PE4KiH$d<I^hG_{J625ZBDjo7w);TGRvD@XU_aIo"
        "E5$3)o20+PYHL7SBGj_0`qNP^>c4mB!<xDbifR-=FNyExs|Dh|LPR(3Azs^tG~&X~^rb(u%mn@vSO`_QD0Kwt*(VC#G|KO1)U3UU_7?n4WZX"
        "cDLr5vvGp7M3)$Dh_SGfqH2q-Dv(ZRi>tJZ8f1#7Oo;|ziKX*}4PJ<%sDdzCiJxnKZCH(*J$%7cl$jlQEK{GB3U;heuagFIKu*Pw4{+y8;Eg"
        "41pGg6WNor_EDu{Y#K}A}Hw`3_pk%9tZA3@N6SzjYR7k#~4G(Bc|Em~1KzIUoudpRC;GgYuRhH}SJ@iq5vXiz;gaBUP$l``^b%uDw$eQ1wKV"
        "=oY9UPsz3t7AAtTP#mu9z*6T{9X=0dnvJ82|pPqZdwmL!6r0VAUks<0#-aZEhN}eVK?w1w^5Qcydj=X%rlT6j!h9VZ6Ah9UocW0hDo?CJ{^u"
        "n8Z9y$pGAf%E*rQ*{3$US*+F|KI~f8%11C%vGd`3hWEX8bFC>B%uR78qrxo}(ej(BnN;fkg0~Dk+@g6!81vIxEcM@+hg&evO;4oYp0ufm+I~"
        "q|C*)1X&qz_>%5g7dr@G1uvTMmaQ1{S{!B`6FPC=JRc8Wffcb|o(p2@EPEOA>$!<RWen{R*ZbnGk;pZXn7J1qwYM0}qf15*|Vh9|`Uphz+s`"
        "(HqnZN(j3eCk*BXs~La`h6kY--wG-Ro)<(4(gvUwuL*qysuds!EC#t0mk8bk&Jz;|lLhJ$l?O}(3lbd%2n8|`sRqUbUl2P6hy;-j(gjQe$_{"
        "P?69fki4+Y%=N)5CGsRNP>Uj%mp;0p}|NCPtq!2=ruiwbxH@dD@xGy}*2N(uA=q5`o9xB`9x9SDE|Tmp^<O9DFr0|y%d9Rhv^?EwG+{sqGU<"
        "^h8RoB_=N4Fz}swgH?3R{@~`F9bOOjseI69szs-W&;HQZ2<@a?f_r`uL9ZtRsmW9$pB9Q2?DzSP650DvH)2D"
    ),
}
